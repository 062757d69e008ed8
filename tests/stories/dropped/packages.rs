//! Packages that are written somewhere, looked into, and unpacked.

use std::io;
use std::sync::Arc;

use documine::{BoxFuture, Client, Contents};
use futures_util::TryStreamExt;

use super::{Beside, drop_everywhere, files, soon};
use crate::paper::{STUDY, unzip, zip};

#[test]
fn a_package_in_a_folder() {
    saved_in(false, <[_]>::is_empty);
}

#[test]
fn a_package_in_a_folder_whose_part_is_kept() {
    saved_in(true, |parts| match parts {
        [] => true,
        [part, sidecar] => part.ends_with(".zip.part") && *sidecar == format!("{part}.json"),
        _ => false,
    });
}

fn saved_in(resumable: bool, clean: fn(&[String]) -> bool) {
    let beside = Beside::start();
    let folder = tempfile::tempdir().unwrap();
    let (package, target) = (beside.package(), folder.path().to_owned());
    let save = move |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let (operation, target) = (client.download(package.clone()).operation(), target.clone());
        Box::pin(async move {
            let call = operation.wait().await?.save_in(target);
            let saved = if resumable { call.resumable().await? } else { call.await? };
            assert!(saved.path.exists());
            Ok(())
        })
    };
    let named = |name: &String| !name.starts_with('.') && !name.contains(".part");
    let parts = || files(folder.path()).into_iter().filter(|name| !named(name)).collect::<Vec<_>>();
    drop_everywhere(&beside, save, || {
        assert!(soon(|| clean(&parts())), "{:?}", files(folder.path()));
        // Dropped at the very end, it has its name already.
        for name in files(folder.path()).iter().filter(|name| named(name)) {
            let path = folder.path().join(name);
            assert!(unzip(&std::fs::read(&path).unwrap()).iter().any(|(_, bytes)| bytes == STUDY));
            std::fs::remove_file(path).unwrap();
        }
    });
    assert_eq!(files(folder.path()), [""; 0]);
}

/// A writer that shows whether anybody still has it.
struct Lent(Vec<u8>, #[expect(dead_code, reason = "it is counted")] Arc<()>);

impl io::Write for Lent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_package_in_a_writer_which_is_let_go() {
    let beside = Beside::start();
    let (package, lent) = (beside.package(), Arc::new(()));
    let save = |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let (operation, writer) = (client.download(package.clone()).operation(), Lent(Vec::new(), Arc::clone(&lent)));
        Box::pin(async move {
            let written = operation.wait().await?.save_into(writer).await?;
            assert_eq!(written.writer.0.len() as u64, written.bytes);
            Ok(())
        })
    };
    drop_everywhere(&beside, save, || assert!(soon(|| Arc::strong_count(&lent) == 1)));
}

// What is on this machine is read by threads that may be done before they are asked: so there is another step before.
#[test]
fn an_entry_that_is_read_as_a_whole_and_piece_by_piece() {
    let beside = Beside::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    let large = STUDY.repeat(50);
    std::fs::write(&path, zip(&[("Originals/study.pdf", &large)])).unwrap();
    let read = move |_: Client| -> BoxFuture<'static, documine::Result<()>> {
        let (path, large) = (path.clone(), large.clone());
        Box::pin(async move {
            tokio::task::yield_now().await;
            let contents = Contents::open(path).await?;
            let name = contents.entries()[0].name().to_owned();
            assert!(contents.read(&name).await? == large);
            let pieces: Vec<_> = contents.stream(&name)?.try_collect().await?;
            assert!(pieces.concat() == large);
            Ok(())
        })
    };
    drop_everywhere(&beside, read, || assert_eq!(files(folder.path()), ["a.zip"]));
}

#[test]
fn a_package_that_is_unpacked() {
    let beside = Beside::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    let names: Vec<_> = (0..50).map(|number| format!("Originals/{number}.pdf")).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), STUDY)).collect();
    std::fs::write(&path, zip(&entries)).unwrap();
    let target = folder.path().join("out");
    let unpack = {
        let target = target.clone();
        move |_: Client| -> BoxFuture<'static, documine::Result<_>> {
            let (path, target) = (path.clone(), target.clone());
            Box::pin(async move {
                tokio::task::yield_now().await;
                Contents::open(path).await?.unpack_to(target).await
            })
        }
    };
    drop_everywhere(&beside, unpack, || {
        // A thread may still be at it; it comes to its end with the folder or without it.
        let clean = || matches!(files(folder.path()).as_slice(), [zip] if zip == "a.zip") || target.exists();
        assert!(soon(clean), "{:?}", files(folder.path()));
        if target.exists() {
            assert_eq!(files(folder.path()), ["a.zip", "out"]);
            let left = files(&target.join("Originals"));
            assert_eq!(left.len(), 50, "never half a folder");
            std::fs::remove_dir_all(&target).unwrap();
        }
    });
}

/// Its temporary file lies where those of all stories lie: so it is looked for in a process of its own.
#[cfg(unix)]
#[test]
fn a_package_that_is_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let name = "dropped::packages::a_package_that_is_looked_into";
    if !crate::alone::is_alone(name, "exec \"$0\" \"$@\"", &[("TMPDIR", folder.path())]) {
        return;
    }
    let beside = Beside::start();
    let package = beside.package();
    let open = move |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let operation = client.download(package.clone()).operation();
        Box::pin(async move {
            let contents = operation.wait().await?.open().await?;
            let name = contents.originals().next().unwrap().name().to_owned();
            assert!(contents.read(&name).await? == STUDY);
            contents.close().await
        })
    };
    drop(folder);
    // Beside it lies what the simulator has there.
    let temporary = std::env::temp_dir();
    let left = || files(&temporary).into_iter().filter(|name| !name.starts_with("documine-sim-")).collect::<Vec<_>>();
    drop_everywhere(&beside, open, || assert!(soon(|| left().is_empty()), "{:?}", left()));
}
