//! Suggested file names of packages: unambiguous spellings are accepted, and no name leads out of the folder.

use crate::download_resume::{PackageServer, file_names, full_response, incompressible_zip};

#[tokio::test]
async fn reads_suggested_name_in_any_spelling() {
    let zip = incompressible_zip(1_000);
    for (disposition, name) in [
        ("attachment; filename=Q3 filings.zip", "Q3 filings.zip"),
        ("attachment; filename=Q3 filings.zip; size=1234", "Q3 filings.zip"),
        ("attachment; size=1234; filename=Q3 filings.zip", "Q3 filings.zip"),
        ("attachment; filename = \"a.zip\"", "a.zip"),
        ("filename=a.zip", "a.zip"),
        ("attachment; filename=\"=?UTF-8?B?UHLDvGZ1bmcuemlw?=\"", "Prüfung.zip"),
        ("attachment; filename=Q3%20filings.zip", "Q3 filings.zip"),
        ("attachment; filename*=ISO-8859-1''Pr%C3%BCfung.zip", "Prüfung.zip"),
        ("attachment; filename=\"C:\\reports\\a.zip\"", "a.zip"),
        ("attachment; filename=..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("attachment; filename==?UTF-8?Q?..=2F..=2Fevil.zip?=", "evil.zip"),
        ("attachment; filename=../../evil.zip", "evil.zip"),
        ("attachment; filename=", "package-d-1.zip"),
    ] {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("in");
        std::fs::create_dir(&folder).unwrap();
        let package = zip.clone();
        let header = format!("Content-Disposition: {disposition}");
        let server = PackageServer::start(move |_| full_response(&package, &[&header], usize::MAX)).await;
        let saved = server.package().await.save_in(&folder).await.unwrap();
        assert_eq!(saved.path, folder.join(name), "{disposition}");
        assert_eq!((file_names(&folder), file_names(outside.path())), (vec![name.to_owned()], vec!["in".to_owned()]));
    }
}
