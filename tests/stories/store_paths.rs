//! One token file under several paths: whichever path a program uses, there is one lock, one content, and one refresh.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use documine::{Client, Credentials, ErrorKind, FileStore, StoredLogin, TokenStore};
use futures_util::future::try_join_all;

use crate::world::World;

/// A folder with `real/login.json`, and several paths that lead to it.
struct Paths(tempfile::TempDir);

impl Paths {
    /// The token file itself need not exist.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("real")).unwrap();
        fs::create_dir_all(at("other/deep")).unwrap();
        symlink(at("real/login.json"), at("absolute-link")).unwrap();
        symlink("real/login.json", at("relative-link")).unwrap();
        symlink("../../absolute-link", at("other/deep/link-to-link")).unwrap();
        symlink(at("real"), at("folder-link")).unwrap();
        symlink("../real", at("other/relative-folder-link")).unwrap();
        Self(folder)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(path)
    }

    fn all(&self) -> Vec<PathBuf> {
        let paths = [
            "real/login.json",
            "absolute-link",
            "relative-link",
            "other/deep/link-to-link",
            "folder-link/login.json",
            "other/relative-folder-link/login.json",
            "other/../real/./login.json",
            "folder-link/../real/login.json",
        ];
        let mut all: Vec<_> = paths.iter().map(|path| self.at(path)).collect();
        // A relative one: up to the root, and down again.
        let up: PathBuf = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect();
        all.push(up.join(self.at("real/login.json").strip_prefix("/").unwrap()));
        all
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.at("real"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn process(world: &World, path: &Path) -> Client {
    let credentials = Credentials::stored(world.sim.client_id(), FileStore::new(path));
    world.client_with(credentials.client_secret(world.sim.client_secret()))
}

async fn log_in(world: &World, path: &Path) {
    let login = world.builder().login(world.sim.client_id()).unwrap().client_secret(world.sim.client_secret());
    let (provider, person) = (world.sim.control().provider().clone(), world.sim.username().to_owned());
    let login = login.store(FileStore::new(path));
    login.device(move |code| assert!(provider.approve_device(&code.user_code, &person))).await.unwrap();
}

fn stored(access: &str) -> StoredLogin {
    StoredLogin::from_json(&format!(
        r#"{{"version": 1, "client_id": "c", "token_endpoint": "https://id.example/token", "access_token": "{access}",
            "refresh_token": null, "id_token": null, "expires_at": null, "refresh_expires_at": null, "scopes": []}}"#
    ))
    .unwrap()
}

#[tokio::test]
async fn programs_that_use_different_paths_refresh_a_rotating_token_once() {
    let world = World::with(|builder| builder.rotate_refresh(true)).await;
    let paths = Paths::new();
    // The links lead nowhere when the first login is saved.
    log_in(&world, &paths.at("other/deep/link-to-link")).await;
    assert_eq!(paths.names(), ["login.json", "login.json.lock"]);
    let processes: Vec<_> = paths.all().iter().map(|path| process(&world, path)).collect();
    for round in 1..=3 {
        world.time.pass(301);
        try_join_all(processes.iter().map(|client| client.license().send())).await.unwrap();
        assert_eq!(world.requests("token").len(), 1 + round);
    }
    for link in ["absolute-link", "relative-link", "other/deep/link-to-link", "folder-link"] {
        assert!(fs::symlink_metadata(paths.at(link)).unwrap().is_symlink(), "{link} is still a link");
    }
    assert_eq!(paths.names(), ["login.json", "login.json.lock"]);
    // A logout removes the file; the links stay and serve the next login.
    process(&world, &paths.at("relative-link")).log_out().await.unwrap();
    assert_eq!(paths.names(), ["login.json.lock"]);
    log_in(&world, &paths.at("relative-link")).await;
    process(&world, &paths.at("real/login.json")).license().await.unwrap();
}

#[tokio::test]
async fn every_path_has_the_same_lock() {
    for exists in [false, true] {
        let paths = Paths::new();
        if exists {
            assert!(FileStore::new(paths.at("real/login.json")).compare_and_swap(None, &stored("a")).await.unwrap());
        }
        for held in paths.all() {
            let lock = FileStore::new(&held).lock().await.unwrap();
            for other in paths.all() {
                let error = FileStore::new(&other).lock_timeout(Duration::ZERO).lock().await.unwrap_err();
                assert!(error.is_timeout(), "{} and {}: {error}", held.display(), other.display());
            }
            drop(lock);
        }
        let expected: &[&str] = if exists { &["login.json", "login.json.lock"] } else { &["login.json.lock"] };
        assert_eq!(paths.names(), expected);
        assert!(!paths.at("absolute-link.lock").exists() && !paths.at("relative-link.lock").exists());
    }
}

#[tokio::test]
async fn folders_that_are_missing_are_made_where_the_path_leads() {
    let paths = Paths::new();
    symlink("real/new/deep/login.json", paths.at("to-missing-folder")).unwrap();
    symlink("real/later", paths.at("missing-folder-link")).unwrap();
    let cases = [
        ("to-missing-folder", "real/new/deep"),
        ("missing-folder-link/sub/login.json", "real/later/sub"),
        ("real/fresh/login.json", "real/fresh"),
        ("real/fresh2/../fresh3/login.json", "real/fresh3"),
    ];
    for (path, folder) in cases {
        let store = FileStore::new(paths.at(path));
        let lock = store.lock().await.unwrap();
        assert!(store.compare_and_swap(None, &stored(path)).await.unwrap(), "{path}");
        drop(lock);
        let direct = FileStore::new(paths.at(folder).join("login.json"));
        assert_eq!(direct.load().await.unwrap(), Some(stored(path)), "{path}");
        assert!(paths.at(folder).join("login.json.lock").exists(), "{path}");
        let mode = fs::metadata(paths.at(folder)).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o700, "{path}");
    }
}

#[tokio::test]
async fn a_path_that_names_no_single_file_is_refused() {
    let paths = Paths::new();
    symlink("loop-b", paths.at("loop-a")).unwrap();
    symlink("loop-a", paths.at("loop-b")).unwrap();
    let looping = FileStore::new(paths.at("loop-a"));
    assert_eq!(looping.load().await.unwrap_err().kind(), ErrorKind::File);
    assert_eq!(looping.lock().await.unwrap_err().kind(), ErrorKind::File);
    assert_eq!(looping.compare_and_swap(None, &stored("a")).await.unwrap_err().kind(), ErrorKind::File);

    // Writing replaces one name of a file that has two; the other one would keep the spent token, under a lock of its own.
    let file = paths.at("real/login.json");
    assert!(FileStore::new(&file).compare_and_swap(None, &stored("a")).await.unwrap());
    fs::hard_link(&file, paths.at("other/second-name.json")).unwrap();
    for path in ["real/login.json", "other/second-name.json"] {
        let error = FileStore::new(paths.at(path)).load().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(
            error.to_string(),
            format!(
                "the token store {} has 2 hard links, which can't share a lock; remove the others, or replace them by symbolic links",
                paths.at(path).display()
            )
        );
    }
    fs::remove_file(paths.at("other/second-name.json")).unwrap();
    assert_eq!(FileStore::new(&file).load().await.unwrap(), Some(stored("a")));

    for path in ["real", "folder-link"] {
        let error = FileStore::new(paths.at(path)).load().await.unwrap_err();
        assert!(error.to_string().ends_with("is not a file"), "{error}");
    }
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_damaged_file_stays_until_the_lock_is_held() {
    let paths = Paths::new();
    let file = paths.at("real/login.json");
    write_private(&file, "damaged");
    for path in paths.all() {
        let error = FileStore::new(path).load().await.unwrap_err();
        assert!(
            error.needs_login() && error.to_string().ends_with("is damaged at line 1, column 1; log in again"),
            "{error}"
        );
    }
    assert!(FileStore::new(&file).compare_and_swap(None, &stored("a")).await.is_err());
    assert_eq!(fs::read_to_string(&file).unwrap(), "damaged");

    // A client that asks who is logged in takes no lock.
    let world = World::new().await;
    let client = process(&world, &paths.at("relative-link"));
    assert!(client.who_am_i().await.unwrap_err().needs_login());
    assert_eq!(paths.names(), ["login.json"]);

    // With the lock, it is moved aside beside the file itself, not beside the link.
    let error = client.license().await.unwrap_err();
    let aside = paths.at("real/login.json.damaged");
    assert!(error.to_string().ends_with(&format!("and was moved to {}; log in again", aside.display())), "{error}");
    assert_eq!(paths.names(), ["login.json.damaged", "login.json.lock"]);
    assert_eq!(fs::read_to_string(aside).unwrap(), "damaged");
}

#[tokio::test]
async fn a_login_that_is_written_after_the_damage_was_seen_is_kept() {
    let paths = Paths::new();
    let file = paths.at("real/login.json");
    write_private(&file, "damaged");
    let store = FileStore::new(paths.at("absolute-link"));
    assert!(store.load().await.unwrap_err().needs_login());
    // Another process repairs it before the lock is taken.
    write_private(&file, stored("good").to_json().expose());
    let lock = store.lock().await.unwrap();
    assert_eq!(store.load_or_quarantine().await.unwrap(), Some(stored("good")));
    drop(lock);
    assert_eq!(paths.names(), ["login.json", "login.json.lock"]);
}
