//! Objects created at the service, so that they can be deleted however the program ends.

use std::sync::Arc;
use std::time::Duration;

use documine::{BoxFuture, DossierHandle, Package, PackageJob, request::CreateDossier};
use tokio::sync::Mutex;

use crate::failure::{Code, During, Failure};

/// Time limit for deleting everything.
const LIMIT: Duration = Duration::from_secs(30);

/// The list of what was created.
///
/// A call that creates something runs in a task of its own, which holds the list until the new object is on it. So Ctrl-C in the middle of
/// a call does not lose the object: the deletion waits for the list.
pub(crate) struct Created {
    list: Arc<Mutex<Vec<CreatedObject>>>,
    keep_dossiers: bool,
}

enum CreatedObject {
    Dossier(DossierHandle),
    Package(PackageJob),
}

impl Created {
    pub(crate) fn new(keep_dossiers: bool) -> Self {
        Self { list: Arc::default(), keep_dossiers }
    }

    /// Makes the call and remembers the dossier.
    pub(crate) async fn dossier(&self, call: CreateDossier) -> Result<DossierHandle, Failure> {
        self.make(call.send(), "the new dossier", CreatedObject::Dossier).await
    }

    /// Makes the call and remembers the package.
    pub(crate) async fn package(
        &self,
        call: BoxFuture<'static, documine::Result<PackageJob>>,
    ) -> Result<PackageJob, Failure> {
        self.make(call, "the new package", CreatedObject::Package).await
    }

    async fn make<T>(
        &self,
        call: BoxFuture<'static, documine::Result<T>>,
        what: &'static str,
        remember: fn(T) -> CreatedObject,
    ) -> Result<T, Failure>
    where
        T: Clone + Send + 'static,
    {
        let mut list = Arc::clone(&self.list).lock_owned().await;
        let task = tokio::spawn(async move {
            let made = call.await.during(what)?;
            list.push(remember(made.clone()));
            Ok(made)
        });
        task.await.unwrap_or_else(|_| Err(Failure::new(Code::Other, format!("{what}: the call was cut off"))))
    }

    /// The package is deleted already.
    pub(crate) async fn forget(&self, package: &Package) {
        let id = package.id().as_ref();
        self.list
            .lock()
            .await
            .retain(|object| !matches!(object, CreatedObject::Package(operation) if operation.id() == id));
    }

    /// Deletes the listed objects, the latest first, and returns their number. An object that is already gone counts as deleted.
    ///
    /// A failure does not stop the remaining deletions; the returned failure lists what is left.
    pub(crate) async fn delete_all(&self) -> Result<usize, Failure> {
        let mut deleted = 0;
        let mut first_failure = None;
        let work = async {
            let mut list = self.list.lock().await;
            for index in (0..list.len()).rev() {
                if self.keeps(&list[index]) {
                    continue;
                }
                let result = match &list[index] {
                    // For good: a demo leaves nothing in the trash.
                    CreatedObject::Dossier(dossier) => dossier.delete().permanently(true).await,
                    CreatedObject::Package(package) => package.cancel().await,
                };
                match result {
                    Err(error) if !error.is_not_found() => {
                        let failure = Err::<(), _>(error).during(format_args!("deleting {}", list[index].name()));
                        first_failure = first_failure.take().or(failure.err());
                    }
                    _ => {
                        list.remove(index);
                        deleted += 1;
                    }
                }
            }
        };
        let in_time = tokio::time::timeout(LIMIT, work).await.is_ok();
        match first_failure {
            None if in_time => Ok(deleted),
            None => Err(Failure::new(
                Code::Temporary,
                format!("deleting takes longer than {LIMIT:?}; {} still there", self.left()),
            )),
            Some(failure) => Err(failure.advise(&format!("{} still there, delete it by hand", self.left()))),
        }
    }

    /// The objects still at the service that should have been deleted, as text.
    pub(crate) fn left(&self) -> String {
        let Ok(list) = self.list.try_lock() else { return "an object is perhaps".into() };
        let names: Vec<_> = list.iter().filter(|object| !self.keeps(object)).map(CreatedObject::name).collect();
        if names.is_empty() { "nothing is".into() } else { format!("{} is", names.join(", ")) }
    }

    /// The dossiers that were to be kept.
    pub(crate) async fn kept(&self) -> Vec<String> {
        self.list.lock().await.iter().filter(|object| self.keeps(object)).map(CreatedObject::name).collect()
    }

    fn keeps(&self, object: &CreatedObject) -> bool {
        self.keep_dossiers && matches!(object, CreatedObject::Dossier(_))
    }
}

impl CreatedObject {
    fn name(&self) -> String {
        match self {
            Self::Dossier(dossier) => format!("dossier {}", dossier.id()),
            Self::Package(package) => format!("package {}", package.id()),
        }
    }
}
