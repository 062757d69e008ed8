//! Several paths to one token file: every path has the same lock, the same content and a single refresh.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use documine::{
    ErrorKind,
    auth::{FileStore, StoredLogin, TokenStore},
};
use futures_util::future::try_join_all;

use crate::harness::file_names;
use crate::harness::stored_login::{log_in_to_store, process_client};
use crate::harness::test_env::TestEnv;

/// A folder with `real/login.json` and several paths to that file.
struct LinkedPaths(tempfile::TempDir);

impl LinkedPaths {
    /// Creates the links. The token file itself need not exist.
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
        // A relative path: up to the root and down again.
        let up: PathBuf = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect();
        all.push(up.join(self.at("real/login.json").strip_prefix("/").unwrap()));
        all
    }

    fn names(&self) -> Vec<String> {
        file_names(&self.at("real"))
    }
}

fn stored(access: &str) -> StoredLogin {
    StoredLogin::from_json(&format!(
        r#"{{"version": 1, "client_id": "c", "token_endpoint": "https://id.example/token", "access_token": "{access}",
            "refresh_token": null, "id_token": null, "expires_at": null, "refresh_expires_at": null, "scopes": []}}"#
    ))
    .unwrap()
}

#[tokio::test]
async fn programs_with_different_paths_refresh_rotating_token_once() {
    let env = TestEnv::with(|builder| builder.rotate_refresh(true)).await;
    let paths = LinkedPaths::new();
    // The links are dangling when the first login is saved.
    log_in_to_store(&env, FileStore::new(paths.at("other/deep/link-to-link"))).await;
    assert_eq!(paths.names(), ["login.json", "login.json.lock"]);
    let processes: Vec<_> = paths.all().iter().map(|path| process_client(&env, FileStore::new(path)).0).collect();
    for round in 1..=3 {
        env.time.advance(301);
        try_join_all(processes.iter().map(|client| client.license().send())).await.unwrap();
        assert_eq!(env.requests("token").len(), 1 + round);
    }
    for link in ["absolute-link", "relative-link", "other/deep/link-to-link", "folder-link"] {
        assert!(fs::symlink_metadata(paths.at(link)).unwrap().is_symlink(), "{link} is no longer a link");
    }
    assert_eq!(paths.names(), ["login.json", "login.json.lock"]);
    // Logout removes the file; the links stay and serve the next login.
    process_client(&env, FileStore::new(paths.at("relative-link"))).0.log_out().await.unwrap();
    assert_eq!(paths.names(), ["login.json.lock"]);
    log_in_to_store(&env, FileStore::new(paths.at("relative-link"))).await;
    process_client(&env, FileStore::new(paths.at("real/login.json"))).0.license().await.unwrap();
}

#[tokio::test]
async fn all_paths_share_one_lock() {
    for exists in [false, true] {
        let paths = LinkedPaths::new();
        if exists {
            assert!(FileStore::new(paths.at("real/login.json")).compare_and_swap(None, &stored("a")).await.unwrap());
        }
        for held_path in paths.all() {
            let lock = FileStore::new(&held_path).lock().await.unwrap();
            for other in paths.all() {
                let error = FileStore::new(&other).lock_timeout(Duration::ZERO).lock().await.unwrap_err();
                assert!(error.is_timeout(), "{} and {}: {error}", held_path.display(), other.display());
            }
            drop(lock);
        }
        let expected: &[&str] = if exists { &["login.json", "login.json.lock"] } else { &["login.json.lock"] };
        assert_eq!(paths.names(), expected);
        assert!(!paths.at("absolute-link.lock").exists() && !paths.at("relative-link.lock").exists());
    }
}

#[tokio::test]
async fn creates_missing_folders_at_resolved_path() {
    let paths = LinkedPaths::new();
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
async fn rejects_path_that_names_no_single_file() {
    let paths = LinkedPaths::new();
    symlink("loop-b", paths.at("loop-a")).unwrap();
    symlink("loop-a", paths.at("loop-b")).unwrap();
    let looping = FileStore::new(paths.at("loop-a"));
    assert_eq!(looping.load().await.unwrap_err().kind(), ErrorKind::File);
    assert_eq!(looping.lock().await.unwrap_err().kind(), ErrorKind::File);
    assert_eq!(looping.compare_and_swap(None, &stored("a")).await.unwrap_err().kind(), ErrorKind::File);

    // Saving replaces one of two hard links; the other would keep the used token under its own lock.
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
async fn damaged_file_stays_until_lock_is_held() {
    let paths = LinkedPaths::new();
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

    // `identity` takes no lock.
    let env = TestEnv::new().await;
    let client = process_client(&env, FileStore::new(paths.at("relative-link"))).0;
    assert!(client.identity().await.unwrap_err().needs_login());
    assert_eq!(paths.names(), ["login.json"]);

    // Under the lock, the damaged file is moved aside beside the file itself, not beside the link.
    let error = client.license().await.unwrap_err();
    let moved = paths.at("real/login.json.damaged");
    assert!(error.to_string().ends_with(&format!("and was moved to {}; log in again", moved.display())), "{error}");
    assert_eq!(paths.names(), ["login.json.damaged", "login.json.lock"]);
    assert_eq!(fs::read_to_string(moved).unwrap(), "damaged");
}

#[tokio::test]
async fn keeps_login_written_after_damage_was_detected() {
    let paths = LinkedPaths::new();
    let file = paths.at("real/login.json");
    write_private(&file, "damaged");
    let store = FileStore::new(paths.at("absolute-link"));
    assert!(store.load().await.unwrap_err().needs_login());
    // Another process repairs the file before the lock is taken.
    write_private(&file, stored("good").to_json().expose());
    let lock = store.lock().await.unwrap();
    assert_eq!(store.load_or_quarantine().await.unwrap(), Some(stored("good")));
    drop(lock);
    assert_eq!(paths.names(), ["login.json", "login.json.lock"]);
}
