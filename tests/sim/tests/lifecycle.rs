//! Lifecycle of dossiers, files and packages: updates, trash, archive, replacement, reanalysis, failure, expiry.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use reqwest::Method;
use serde_json::json;
use support::{TestClient, assert_clean, pdf, zip};

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn id_in_the_body_updates_the_dossier() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("first").await;
    client.advance(5);
    let body = json!({"id": id(&dossier), "name": "second", "dossierAttributes": {"Sponsor": "X"}});
    let updated = client.post(&client.dossiers(), body).await;
    assert_eq!(updated.status, 200);
    let updated = updated.json();
    assert_eq!((&updated["name"], &updated["id"]), (&json!("second"), &json!(id(&dossier))));
    assert_ne!(updated["dateAdded"], updated["dateModified"]);
    assert_eq!(updated["reportTemplateIds"], json!([client.sim.report_template_id()]));
    assert_eq!(updated["ownerId"], client.get("/api/users").await.json()["users"][0]["id"]);
    let template =
        client.get("/api/dossier-templates").await.json()["dossierTemplates"][1]["id"].as_str().unwrap().to_owned();
    let inactive = client.post(&format!("/api/dossier-templates/{template}/dossiers"), json!({"name": "x"})).await;
    assert_eq!(inactive.status, 409);
    assert_clean(&client.sim);
}

#[tokio::test]
async fn trash_keeps_dossiers_for_96_hours() {
    let Some(client) = TestClient::vendored().await else { return };
    let (kept, dropped) = (client.dossier("kept").await, client.dossier("dropped").await);
    let file = client.file(&kept, "a.pdf", pdf(&[&["a"]])).await;
    client.advance(30);
    assert_eq!(client.delete(&dropped).await.status, 204);
    assert_eq!(client.delete(&format!("{kept}/files/{file}")).await.status, 204);
    assert_eq!(client.state(&kept, &file).await, "DELETED");
    assert_eq!(client.get(&format!("{kept}/files")).await.json()["files"], json!([]));
    assert_eq!(client.get(&format!("{kept}/files/{file}/components")).await.status, 409);

    let list = async |query: &str| {
        let response = client.get(&format!("{}{query}", client.dossiers())).await.json();
        response["dossiers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|dossier| dossier["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(list("").await, ["kept"]);
    assert_eq!(list("?includeSoftDeleted=true").await, ["kept", "dropped"]);
    assert_eq!(list("?includeActive=false&includeSoftDeleted=true").await, ["dropped"]);
    assert!(client.get(&dropped).await.json()["softDeletedTime"].is_string());
    let refused = client.upload(&dropped, "b.pdf", pdf(&[&["b"]])).await;
    assert_eq!(
        (refused.status, refused.message().as_str()),
        (409, "The dossier dropped is in the trash. Restore it before changing it.")
    );

    client.sim.control().restore_file(&file).unwrap();
    assert_eq!(client.state(&kept, &file).await, "PROCESSED");
    assert_eq!(client.delete(&format!("{kept}/files/{file}?deletePermanently=true")).await.status, 204);
    assert_eq!(client.get(&format!("{kept}/files/{file}")).await.status, 404);

    client.advance(96 * 3600 - 60);
    assert_eq!(client.get(&dropped).await.status, 200);
    client.advance(60);
    assert_eq!(client.get(&dropped).await.status, 404);
    assert_eq!(client.delete(&format!("{kept}?deletePermanently=true")).await.status, 204);
    assert_eq!(client.get(&kept).await.status, 404);
    assert_clean(&client.sim);
}

#[tokio::test]
async fn archived_dossiers_are_read_only() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("old").await;
    let file = client.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    client.advance(30);
    client.sim.control().archive_dossier(id(&dossier)).unwrap();
    let message = "The dossier old is archived and can no longer be changed.";
    let update = client.post(&client.dossiers(), json!({"id": id(&dossier), "name": "new"})).await;
    let upload = client.upload(&dossier, "b.pdf", pdf(&[&["b"]])).await;
    let delete = client.delete(&dossier).await;
    let delete_file = client.delete(&format!("{dossier}/files/{file}")).await;
    for response in [update, upload, delete, delete_file] {
        assert_eq!((response.status, response.message().as_str()), (409, message));
    }
    assert_eq!(client.get(&format!("{dossier}/files/{file}/components")).await.status, 200);
    let package = client.package(&dossier, json!({})).await;
    assert_eq!(client.get(&format!("{package}/download")).await.status, 200);
    assert_eq!(client.get(&client.dossiers()).await.json()["dossiers"], json!([]));
    let archived = client.get(&format!("{}?includeArchived=true", client.dossiers())).await.json();
    assert!(archived["dossiers"][0]["archivedTime"].is_string());
    assert!(client.sim.control().archive_dossier("none").is_err());
    assert_clean(&client.sim);
}

#[tokio::test]
async fn upload_of_the_same_name_replaces_the_file() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("again").await;
    let file = client.file(&dossier, "a.pdf", pdf(&[&["First"]])).await;
    client.advance(30);
    client.sim.control().edit_component(&file, "Sponsor", &["By hand"]).unwrap();
    let sponsor = async || {
        client.get(&format!("{dossier}/files/{file}/components")).await.json()["components"]["Sponsor"].clone()
    };
    assert_eq!(sponsor().await, json!(["By hand"]));

    let path = format!("{dossier}/files?keepManualChanges=true");
    let part = reqwest::multipart::Part::bytes(pdf(&[&["Second"], &["x"]])).file_name("a.pdf");
    let response = client
        .send(client.request(Method::POST, &path).multipart(reqwest::multipart::Form::new().part("file", part)))
        .await;
    assert_eq!(response.json()["fileIds"], json!([file]), "the id is kept");
    assert_eq!(client.state(&dossier, &file).await, "UNPROCESSED");
    client.advance(30);
    assert_eq!(sponsor().await, json!(["By hand"]));
    let shown = client.get(&format!("{dossier}/files/{file}/components")).await.json();
    assert_eq!(shown["components"]["Title"], json!(["Second"]));

    assert_eq!(client.file(&dossier, "a.pdf", pdf(&[&["Third"]])).await, file);
    client.advance(30);
    assert_eq!(sponsor().await, json!([]), "manual changes are dropped by default");
    let usage = client.get("/api/license/usage").await.json();
    assert_eq!((&usage["analysedFiles"], &usage["analysedPages"]), (&json!(3), &json!(4)));
    assert_clean(&client.sim);
}

#[tokio::test]
async fn archive_yields_several_files() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("zip").await;
    let (a, b) = (pdf(&[&["A"]]), pdf(&[&["B"]]));
    let archive = zip(&[("x/one.pdf", &a), ("two.pdf", &b), ("y/one.pdf", &b), ("__MACOSX/x", b"x")]);
    let response = client.upload(&dossier, "all.zip", archive).await;
    assert_eq!(response.status, 201, "{}", response.text());
    assert_eq!(response.json()["fileIds"].as_array().unwrap().len(), 3);
    let files = client.get(&format!("{dossier}/files")).await.json();
    let names: Vec<&str> =
        files["files"].as_array().unwrap().iter().map(|file| file["fileName"].as_str().unwrap()).collect();
    assert_eq!(names, ["one.pdf", "two.pdf", "y_one.pdf"]);
    assert_clean(&client.sim);
}

#[tokio::test]
async fn reanalyses_fails_and_excludes_files() {
    let Some(client) = TestClient::vendored().await else { return };
    let control = client.sim.control();
    let dossier = client.dossier("work").await;
    let file = client.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    client.advance(30);
    control.reanalyse(&file).unwrap();
    assert_eq!(client.state(&dossier, &file).await, "REPROCESS");
    let busy = client.get(&format!("{dossier}/files/{file}/components")).await;
    assert_eq!(busy.status, 409);
    let package = client.package(&dossier, json!({})).await;
    assert_eq!(client.state(&dossier, &file).await, "PROCESSED");
    assert_eq!(client.get(&format!("{package}/download")).await.status, 200);
    control.set_file_attribute(&file, "Region", "EU").unwrap();
    assert_eq!(client.get(&format!("{dossier}/files/{file}")).await.json()["fileAttributes"], json!({"Region": "EU"}));
    control.reanalyse_fully(&file).unwrap();
    assert_eq!(client.state(&dossier, &file).await, "FULLREPROCESS");
    client.advance(30);

    control.fail_next_analysis("The rules ran out of memory.");
    let failed = client.file(&dossier, "b.pdf", pdf(&[&["b"]])).await;
    client.advance(30);
    let shown = client.get(&format!("{dossier}/files/{failed}")).await.json();
    assert_eq!(
        (&shown["processingStatus"], &shown["errorMessage"]),
        (&json!("ERROR"), &json!("The rules ran out of memory."))
    );
    control.reanalyse(&failed).unwrap();
    client.advance(30);
    assert_eq!(client.state(&dossier, &failed).await, "PROCESSED");

    let excluded = client.file(&dossier, "c.pdf", pdf(&[&["c"]])).await;
    control.exclude_file(&excluded, true).unwrap();
    client.advance(30);
    let shown = client.get(&format!("{dossier}/files/{excluded}")).await.json();
    assert_eq!((&shown["excluded"], &shown["processingStatus"]), (&json!(true), &json!("UNPROCESSED")));
    control.exclude_file(&excluded, false).unwrap();
    client.advance(30);
    assert_eq!(client.state(&dossier, &excluded).await, "PROCESSED");
    assert_clean(&client.sim);
}

#[tokio::test]
async fn replaced_rules_change_the_components() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("rules").await;
    let file = client.file(&dossier, "a.pdf", pdf(&[&["Colour: green"]])).await;
    client.advance(30);
    let rules = documine_sim::Rules::parse(
        "[[component]]\nname = 'Colour'\n[[component.rule]]\nid = 'Colour.1.0'\npattern = 'Colour: (.*)'\nnormalise = 'upper'",
    );
    client.sim.control().replace_rules(rules.unwrap());
    client.sim.control().reanalyse(&file).unwrap();
    client.advance(30);
    let components = client.get(&format!("{dossier}/files/{file}/components")).await.json();
    assert_eq!(components["components"], json!({"Colour": ["GREEN"]}));
}
