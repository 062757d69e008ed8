//! Dropped downloads, reads and unpacking.

use std::io;
use std::sync::Arc;

use documine::{BoxFuture, Client, package::PackageArchive};
use futures_util::TryStreamExt;

use super::{IsolatedSimulator, drop_after_each_poll};
use crate::harness::file_names;
use crate::harness::pdf_fixtures::{STUDY, unzip, zip};
#[cfg(unix)]
use crate::harness::subprocess;

#[test]
fn dropped_save_in_folder_leaves_no_partial_file() {
    drop_saves_in_folder(false, <[_]>::is_empty);
}

#[test]
fn dropped_resumable_save_in_folder_keeps_part_with_sidecar() {
    drop_saves_in_folder(true, |parts| match parts {
        [] => true,
        [part, sidecar] => part.ends_with(".zip.part") && *sidecar == format!("{part}.json"),
        _ => false,
    });
}

fn drop_saves_in_folder(resumable: bool, clean: fn(&[String]) -> bool) {
    let isolated = IsolatedSimulator::start();
    let folder = tempfile::tempdir().unwrap();
    let (package, target) = (isolated.package(), folder.path().to_owned());
    let save = move |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let (operation, target) = (client.download(package.clone()).job(), target.clone());
        Box::pin(async move {
            let call = operation.wait().await?.save_in(target);
            let saved = if resumable { call.resumable(true).await? } else { call.await? };
            assert!(saved.path.exists());
            Ok(())
        })
    };
    let named = |name: &String| !name.starts_with('.') && !name.contains(".part");
    let parts = || file_names(folder.path()).into_iter().filter(|name| !named(name)).collect::<Vec<_>>();
    drop_after_each_poll(&isolated, save, || {
        assert!(clean(&parts()), "{:?}", file_names(folder.path()));
        // A call dropped at the very end has already renamed its file.
        for name in file_names(folder.path()).iter().filter(|name| named(name)) {
            let path = folder.path().join(name);
            assert!(unzip(&std::fs::read(&path).unwrap()).iter().any(|(_, bytes)| bytes == STUDY));
            std::fs::remove_file(path).unwrap();
        }
    });
    assert_eq!(file_names(folder.path()), [""; 0]);
}

/// A writer that counts its owners.
struct CountedWriter(Vec<u8>, #[expect(dead_code, reason = "only its owners are counted")] Arc<()>);

impl io::Write for CountedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn dropped_save_into_writer_releases_writer() {
    let isolated = IsolatedSimulator::start();
    let (package, references) = (isolated.package(), Arc::new(()));
    let save = |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let (operation, writer) =
            (client.download(package.clone()).job(), CountedWriter(Vec::new(), Arc::clone(&references)));
        Box::pin(async move {
            let written = operation.wait().await?.save_into(writer).await?;
            assert_eq!(written.writer.0.len() as u64, written.bytes);
            Ok(())
        })
    };
    drop_after_each_poll(&isolated, save, || assert_eq!(Arc::strong_count(&references), 1));
}

// Local reads may complete before the first poll, so an additional yield precedes them.
#[test]
fn dropped_entry_reads_leave_nothing() {
    let isolated = IsolatedSimulator::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    let large = STUDY.repeat(50);
    std::fs::write(&path, zip(&[("Originals/study.pdf", &large)])).unwrap();
    let read = move |_: Client| -> BoxFuture<'static, documine::Result<()>> {
        let (path, large) = (path.clone(), large.clone());
        Box::pin(async move {
            tokio::task::yield_now().await;
            let contents = PackageArchive::open(path).await?;
            let name = contents.entries()[0].name().to_owned();
            assert!(contents.read(&name).await? == large);
            let chunks: Vec<_> = contents.stream(&name)?.try_collect().await?;
            assert!(chunks.concat() == large);
            Ok(())
        })
    };
    drop_after_each_poll(&isolated, read, || assert_eq!(file_names(folder.path()), ["a.zip"]));
}

#[test]
fn dropped_unpack_leaves_no_partial_folder() {
    let isolated = IsolatedSimulator::start();
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
                PackageArchive::open(path).await?.unpack_to(target).await
            })
        }
    };
    drop_after_each_poll(&isolated, unpack, || {
        // A thread may still be running; it ends with or without the folder.
        let clean = || matches!(file_names(folder.path()).as_slice(), [zip] if zip == "a.zip") || target.exists();
        assert!(clean(), "{:?}", file_names(folder.path()));
        if target.exists() {
            assert_eq!(file_names(folder.path()), ["a.zip", "out"]);
            let remaining = file_names(&target.join("Originals"));
            assert_eq!(remaining.len(), 50, "the folder is complete");
            std::fs::remove_dir_all(&target).unwrap();
        }
    });
}

/// Runs in a subprocess, because the temporary file lies in the folder shared by all tests.
#[cfg(unix)]
#[test]
fn dropped_open_leaves_no_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let name = "dropped_futures::packages::dropped_open_leaves_no_temporary_file";
    if !subprocess::runs_in_subprocess(name, "exec \"$0\" \"$@\"", &[("TMPDIR", folder.path())]) {
        return;
    }
    let isolated = IsolatedSimulator::start();
    let package = isolated.package();
    let open = move |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let operation = client.download(package.clone()).job();
        Box::pin(async move {
            let contents = operation.wait().await?.open().await?;
            let name = contents.originals().next().unwrap().name().to_owned();
            assert!(contents.read(&name).await? == STUDY);
            contents.close().await
        })
    };
    drop(folder);
    // The simulator keeps its own files there.
    let temporary = std::env::temp_dir();
    let remaining =
        || file_names(&temporary).into_iter().filter(|name| !name.starts_with("documine-sim-")).collect::<Vec<_>>();
    drop_after_each_poll(&isolated, open, || assert!(remaining().is_empty(), "{:?}", remaining()));
}
