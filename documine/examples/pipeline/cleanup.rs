//! What was created at the service, so that it can be deleted again however the program ends.

use std::sync::Arc;
use std::time::Duration;

use documine::{Call, DossierHandle, Operation, Package};
use tokio::sync::Mutex;

use crate::failure::{Code, During, Failure};

/// How long deleting may take in all.
const LIMIT: Duration = Duration::from_secs(30);

/// The list of what was created.
///
/// A call that creates something runs in a task of its own, which holds the list until the new thing is on it. So Ctrl-C in the middle of
/// a call does not lose the thing: the deletion waits for the list.
pub(crate) struct Created {
    list: Arc<Mutex<Vec<Thing>>>,
    keep_dossiers: bool,
}

enum Thing {
    Dossier(DossierHandle),
    Package(Operation<Package>),
}

impl Created {
    pub(crate) fn new(keep_dossiers: bool) -> Self {
        Self { list: Arc::default(), keep_dossiers }
    }

    /// Makes the call and remembers the dossier.
    pub(crate) async fn dossier<P: Send + 'static>(
        &self,
        call: Call<P, DossierHandle>,
    ) -> Result<DossierHandle, Failure> {
        self.make(call, "the new dossier", Thing::Dossier).await
    }

    /// Makes the call and remembers the package.
    pub(crate) async fn package<P: Send + 'static>(
        &self,
        call: Call<P, Operation<Package>>,
    ) -> Result<Operation<Package>, Failure> {
        self.make(call, "the new package", Thing::Package).await
    }

    async fn make<P, T>(&self, call: Call<P, T>, what: &'static str, remember: fn(T) -> Thing) -> Result<T, Failure>
    where
        P: Send + 'static,
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
        self.list.lock().await.retain(|thing| !matches!(thing, Thing::Package(operation) if operation.id() == id));
    }

    /// Deletes what is on the list, the latest first, and gives the number of things. What is gone already is no trouble.
    ///
    /// All of it is tried, whatever fails; the failure says what is left.
    pub(crate) async fn delete_all(&self) -> Result<usize, Failure> {
        let mut deleted = 0;
        let mut trouble = None;
        let work = async {
            let mut list = self.list.lock().await;
            for index in (0..list.len()).rev() {
                if self.keeps(&list[index]) {
                    continue;
                }
                let result = match &list[index] {
                    // For good: a demo leaves nothing in the trash.
                    Thing::Dossier(dossier) => dossier.delete().permanently().await,
                    Thing::Package(package) => package.cancel().await,
                };
                match result {
                    Err(error) if !error.is_not_found() => {
                        let failure = Err::<(), _>(error).during(format_args!("deleting {}", list[index].name()));
                        trouble = trouble.take().or(failure.err());
                    }
                    _ => {
                        list.remove(index);
                        deleted += 1;
                    }
                }
            }
        };
        let in_time = tokio::time::timeout(LIMIT, work).await.is_ok();
        match trouble {
            None if in_time => Ok(deleted),
            None => Err(Failure::new(
                Code::Temporary,
                format!("deleting takes longer than {LIMIT:?}; {} still there", self.left()),
            )),
            Some(trouble) => Err(trouble.advise(&format!("{} still there, delete it by hand", self.left()))),
        }
    }

    /// For people: what is at the service and was not to be kept.
    pub(crate) fn left(&self) -> String {
        let Ok(list) = self.list.try_lock() else { return "something is perhaps".into() };
        let names: Vec<_> = list.iter().filter(|thing| !self.keeps(thing)).map(Thing::name).collect();
        if names.is_empty() { "nothing is".into() } else { format!("{} is", names.join(", ")) }
    }

    /// The dossiers that were to be kept.
    pub(crate) async fn kept(&self) -> Vec<String> {
        self.list.lock().await.iter().filter(|thing| self.keeps(thing)).map(Thing::name).collect()
    }

    fn keeps(&self, thing: &Thing) -> bool {
        self.keep_dossiers && matches!(thing, Thing::Dossier(_))
    }
}

impl Thing {
    fn name(&self) -> String {
        match self {
            Self::Dossier(dossier) => format!("dossier {}", dossier.id()),
            Self::Package(package) => format!("package {}", package.id()),
        }
    }
}
