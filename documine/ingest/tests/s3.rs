//! Objects of a real S3 server. A program that `cargo xtask conformance s3` starts with the address of the server; nothing happens without one.
//!
//! The environment holds the options, as for users: `AWS_ENDPOINT`, `AWS_ALLOW_HTTP`, `AWS_REGION` and credentials.

use std::path::Path;

use documine_ingest::source::{Content, DocumentSource, Finish, ObjectStores, Objects};
use documine_ingest::{ListedDocument, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};

/// More than a page of a list, which holds 1,000 objects.
const DOCUMENTS: usize = 1_005;
/// More than two parts of an upload.
const LARGE: usize = 20 * 1024 * 1024 + 1;

type TestResult<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> TestResult {
    let Ok(bucket) = std::env::var("DOCUMINE_TEST_S3_BUCKET") else {
        println!("not run: cargo xtask conformance s3 starts this program with a server");
        return Ok(());
    };
    let bucket = format!("s3://{bucket}");
    let folder = tempfile::tempdir()?;
    lists_and_reads(&bucket, folder.path()).await?;
    writes_in_parts(&bucket, folder.path()).await?;
    finishes(&bucket, folder.path()).await?;
    wrong_bucket().await?;
    println!("{DOCUMENTS} objects in several pages, {LARGE} bytes in parts, moved and deleted objects");
    Ok(())
}

fn ensure(condition: bool, what: &str) -> TestResult {
    if condition { Ok(()) } else { Err(what.into()) }
}

async fn put(url: &str, folder: &Path, content: &str) -> TestResult {
    let path = folder.join(format!("{:x}", Sha256::digest(url.as_bytes())));
    std::fs::write(&path, content)?;
    Ok(ObjectStores::from_env().upload_file(url, &path).await?)
}

async fn listed(objects: &Objects) -> Result<Vec<ListedDocument>> {
    let mut documents: Vec<_> = objects.list().try_collect().await?;
    documents.sort_by(|a, b| a.source.cmp(&b.source));
    Ok(documents)
}

/// Lists more than one page, and reads an object by its URL alone.
async fn lists_and_reads(bucket: &str, folder: &Path) -> TestResult {
    let stores = ObjectStores::from_env();
    let file = folder.join("document.pdf");
    std::fs::write(&file, "<< /Type /Page >>")?;
    let names = (0..DOCUMENTS).map(|index| format!("{bucket}/many/{:02}/ä {index:04}.pdf", index % 10));
    stream::iter(names)
        .map(|url| {
            let (stores, file) = (stores.clone(), file.clone());
            async move { stores.upload_file(&url, file).await }
        })
        .buffer_unordered(16)
        .try_collect::<Vec<_>>()
        .await?;
    put(&format!("{bucket}/many/notes.txt"), folder, "no document").await?;
    let objects = Objects::new(format!("{bucket}/many"));
    let documents = listed(&objects).await?;
    ensure(documents.len() == DOCUMENTS, "every object of every page is listed")?;
    ensure(
        documents.iter().all(|document| !document.version.is_empty() && document.size == Some(17)),
        "ETag and size",
    )?;
    let location = &documents[7].location;
    let content = Content::at(location).ok_or("a URL is a location")?;
    let hashed = content.hash().await?;
    ensure((hashed.size, hashed.pages) == (17, Some(1)), "the object is read by its URL")?;
    let single = listed(&Objects::new(location.as_str())).await?;
    ensure(single.len() == 1 && single[0].version == documents[7].version, "the URL of an object is a document")
}

/// Uploads a large file in parts, and reads it as a stream.
async fn writes_in_parts(bucket: &str, folder: &Path) -> TestResult {
    let path = folder.join("large.parquet");
    let bytes: Vec<u8> = (0..LARGE).map(|index| index.to_le_bytes()[1]).collect();
    std::fs::write(&path, &bytes)?;
    let url = format!("{bucket}/tables/values 1.parquet");
    ObjectStores::from_env().upload_file(&url, &path).await?;
    let hashed = Content::at(&url).ok_or("a URL is a location")?.hash().await?;
    let expected = Content::File(path).hash().await?;
    ensure(hashed == expected, "the object has the content of the file")
}

/// Moves objects by copies that never replace another one, and deletes objects.
async fn finishes(bucket: &str, folder: &Path) -> TestResult {
    for (path, content) in [("in/a.pdf", "a"), ("in/x/b.pdf", "b"), ("in/c.pdf", "c"), ("done/a.pdf", "another")] {
        put(&format!("{bucket}/{path}"), folder, content).await?;
    }
    let objects = Objects::new(format!("{bucket}/in")).finish_by(Finish::move_to("done", "failed"));
    let documents = listed(&objects).await?;
    put(&format!("{bucket}/in/c.pdf"), folder, "changed").await?;
    for document in &documents {
        for _ in 0..2 {
            objects.finish(&document.location, &document.version, document.file_name != "b.pdf").await?;
        }
    }
    let found = listed(&Objects::new(bucket).exclude("many").glob("{in,done,failed}/**")).await?;
    let found: Vec<_> = found.iter().filter_map(|document| document.source.strip_prefix(bucket)).collect();
    let expected = ["/done/a (2).pdf", "/done/a.pdf", "/failed/x/b.pdf", "/in/c.pdf"];
    ensure(found == expected, &format!("moved objects: {found:?}"))?;
    let deleting = Objects::new(format!("{bucket}/in")).finish_by(Finish::Delete);
    deleting.finish(&format!("{bucket}/in/c.pdf"), "", true).await?;
    ensure(listed(&deleting).await?.is_empty(), "the object is deleted")
}

/// A bucket that does not exist is one clear line.
async fn wrong_bucket() -> TestResult {
    let Err(error) = listed(&Objects::new("s3://no-such-bucket/in")).await else {
        return Err("a missing bucket is an error".into());
    };
    let error = error.to_string();
    ensure(error.starts_with("s3://no-such-bucket/in: the objects cannot be listed: ") && !error.contains('\n'), &error)
}
