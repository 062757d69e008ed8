#![allow(clippy::unwrap_used)]

use std::fs;

use super::super::folder::{list_error, listed};
use super::*;

/// Stores in memory with these objects, whose content is their path.
async fn stores_of(paths: &[&str]) -> ObjectStores {
    let stores = ObjectStores::from_env();
    for path in paths {
        put(&stores, path, path).await;
    }
    stores
}

async fn put(stores: &ObjectStores, path: &str, content: &str) {
    let (store, _) = stores.resolve("memory:///").unwrap();
    store.put(&Path::parse(path).unwrap(), content.to_owned().into()).await.unwrap();
}

async fn paths_in(stores: &ObjectStores) -> Vec<String> {
    let (store, _) = stores.resolve("memory:///").unwrap();
    let mut paths: Vec<_> = store.list(None).map(|object| object.unwrap().location.to_string()).collect().await;
    paths.sort();
    paths
}

async fn sources(objects: &Objects) -> Vec<String> {
    listed(objects).await.into_iter().map(|document| document.source).collect()
}

#[tokio::test]
async fn lists_objects_below_a_prefix_by_pattern() {
    let paths = ["in/a.pdf", "in/x/B.PDF", "in/x/~$c.pdf", "in/.d/e.pdf", "in/f.txt", "inbox/g.pdf", "h.pdf"];
    let stores = stores_of(&paths).await;
    let objects = |url: &str| Objects::new(url).stores(stores.clone());
    assert_eq!(sources(&objects("memory:///in/")).await, ["memory:///in/a.pdf", "memory:///in/x/B.PDF"]);
    assert_eq!(sources(&objects("memory:///in").glob("*.{pdf,txt}").exclude("a*")).await, ["memory:///in/f.txt"]);
    let documents = listed(&objects("memory:///in/x")).await;
    let document = &documents[0];
    assert_eq!((document.file_name.as_str(), document.size), ("B.PDF", Some(10)));
    assert!(!document.version.is_empty());
    assert_eq!(sources(&objects("memory:///in/f.txt")).await, ["memory:///in/f.txt"], "a URL of an object");
}

#[tokio::test]
async fn reads_objects_by_their_location_alone() {
    let names = ["in/ä b.pdf", "in/50%.pdf", "in/a#1?.pdf", "in/%20.pdf", "in/end "];
    let stores = stores_of(&names).await;
    let objects = Objects::new("memory:///in").stores(stores).glob("**");
    let mut read = Vec::new();
    for document in listed(&objects).await {
        let hashed = objects.content(&document.location).unwrap().hash().await.unwrap();
        assert_eq!(Some(hashed.size), document.size, "{}", document.location);
        read.push(document.file_name);
    }
    read.sort();
    assert_eq!(read, ["%20.pdf", "50%.pdf", "a#1?.pdf", "end ", "ä b.pdf"]);
    assert!(objects.content("memory:///inbox/a.pdf").is_none());
    let error = objects.content("memory:///in/missing.pdf").unwrap().hash().await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::NotFound, "object not found"));
}

#[tokio::test]
async fn a_prefix_without_matches_is_one_clear_line() {
    let stores = stores_of(&["in/a.txt"]).await;
    let objects = Objects::new("memory:///in").stores(stores);
    let expected = "no document matches **/*.pdf in memory:///in; check the URL and the pattern";
    assert_eq!(list_error(&objects).await, expected);
    assert!(listed(&objects.may_be_empty(true)).await.is_empty());
}

#[tokio::test]
async fn wrong_urls_and_options_are_one_clear_line() {
    let check = |url: &str| ObjectStores::from_env().check(url).unwrap_err().to_string();
    assert_eq!(check("inbox"), "inbox: not a URL: relative URL without a base; use a form like s3://bucket/folder");
    let credentials = check("https://user:secret@host/a.pdf");
    assert_eq!(credentials, "https: credentials in a URL would appear in tables; use a form like s3://bucket/folder");
    let signed = check("https://host/a.pdf?signature=secret");
    assert_eq!(
        signed,
        "https://host/a.pdf: a URL with a query or a fragment is not supported; use a form like s3://bucket/folder"
    );
    assert!(check("ftp://host/a.pdf").starts_with("ftp://host/a.pdf: "));
    #[cfg(not(feature = "aws"))]
    assert_eq!(
        check("s3://bucket"),
        "s3: this program is built without this kind of object store; enable the feature `aws` of documine-ingest"
    );
    #[cfg(feature = "aws")]
    {
        let error = ObjectStores::from_env().option("aws_regoin", "x").check("s3://bucket/a").unwrap_err().to_string();
        assert_eq!(error, "s3://bucket/a: unknown option \"aws_regoin\" of the object store; check its name");
        let options = [("aws_access_key_id", "id"), ("aws_secret_access_key", "hidden"), ("aws_region", "x")];
        let stores =
            options.into_iter().fold(ObjectStores::from_env(), |stores, (name, value)| stores.option(name, value));
        stores.check("s3://bucket/a").unwrap();
        assert!(!format!("{stores:?}").contains("hidden"));
    }
}

#[tokio::test]
async fn moves_processed_objects_and_never_replaces_one() {
    let stores = stores_of(&["in/x/a.pdf", "in/b.pdf", "in/c.pdf", "done/x/a.pdf"]).await;
    put(&stores, "done/x/a.pdf", "another document").await;
    let objects = Objects::new("memory:///in").stores(stores.clone()).finish_by(Finish::move_to("done", "/failed/"));
    for document in listed(&objects).await {
        if document.file_name == "c.pdf" {
            put(&stores, "in/c.pdf", "changed").await;
        }
        for _ in 0..2 {
            let is_good = document.file_name != "b.pdf";
            objects.finish(&document.location, &document.version, is_good).await.unwrap();
        }
    }
    assert_eq!(paths_in(&stores).await, ["done/x/a (2).pdf", "done/x/a.pdf", "failed/b.pdf", "in/c.pdf"]);
    // A kill between copy and deletion: the equal copy is found.
    put(&stores, "in/x/a.pdf", "another document").await;
    objects.finish("memory:///in/x/a.pdf", "", true).await.unwrap();
    assert_eq!(paths_in(&stores).await, ["done/x/a (2).pdf", "done/x/a.pdf", "failed/b.pdf", "in/c.pdf"]);
}

#[tokio::test]
async fn processed_objects_below_the_prefix_are_not_listed_again() {
    let stores = stores_of(&["in/a.pdf", "in/done/b.pdf"]).await;
    let objects = Objects::new("memory:///in").stores(stores.clone());
    let moving = objects.clone().finish_by(Finish::move_to("in/done", "in/failed"));
    assert_eq!(sources(&moving).await, ["memory:///in/a.pdf"]);
    let deleting = objects.finish_by(Finish::Delete);
    deleting.finish("memory:///in/a.pdf", "", false).await.unwrap();
    deleting.finish("memory:///in/done/b.pdf", "", true).await.unwrap();
    assert_eq!(paths_in(&stores).await, ["in/a.pdf"]);
    let wrong = Objects::new("memory:///in").finish_by(Finish::move_to("", "failed"));
    let expected = ": not a prefix for processed objects; use a form like done/2026, without the bucket";
    assert_eq!(list_error(&wrong).await, expected);
}

#[tokio::test]
async fn reads_and_writes_file_urls() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::write(folder.path().join("in/ä 1.pdf"), "abc").unwrap();
    let root = url::Url::from_directory_path(folder.path()).unwrap();
    let objects = Objects::new(format!("{root}in"));
    let documents = listed(&objects).await;
    assert_eq!(documents[0].file_name, "ä 1.pdf");
    assert_eq!(Content::at(&documents[0].location).unwrap().hash().await.unwrap().size, 3);
    let stores = ObjectStores::from_env();
    // One request, and several parts.
    for size in [0, 3, 20 * 1024 * 1024 + 1] {
        let file = folder.path().join("table.csv");
        let content: Vec<u8> = (0..size).map(|index: u32| index.to_le_bytes()[1]).collect();
        fs::write(&file, &content).unwrap();
        stores.upload_file(&format!("{root}out/table%201.csv"), &file).await.unwrap();
        assert!(fs::read(folder.path().join("out/table 1.csv")).unwrap() == content, "{size}");
        assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 1, "no temporary file is left");
    }
    let error = stores.upload_file(&format!("{root}out/x"), "missing.csv").await.unwrap_err().to_string();
    assert!(error.contains("cannot be uploaded: missing.csv cannot be read: "), "{error}");
}

#[tokio::test]
async fn list_files_hold_urls() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.pdf"), "abc").unwrap();
    let url = format!("{}a.pdf", url::Url::from_directory_path(folder.path()).unwrap());
    let list = super::super::ListFile::from_reader(io::Cursor::new(format!("{url}\n{{\"source\": \"{url}\"}}\n")));
    let documents = listed(&list).await;
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0].file_name, "a.pdf");
    assert_eq!(list.content(&documents[0].location).unwrap().hash().await.unwrap().size, 3);
    let list = super::super::ListFile::from_reader(&b"ftp://host/a.pdf"[..]);
    assert!(list_error(&list).await.starts_with("list: line 1: ftp://host/a.pdf: "));
}
