//! What becomes of dossiers, files and packages: updates, trash, archive, replacement, reanalysis, failure, expiry.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use reqwest::Method;
use serde_json::json;
use support::{Desk, assert_clean, pdf, zip};

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn an_id_in_the_body_makes_an_update() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let dossier = desk.dossier("first").await;
    desk.wait(5);
    let body = json!({"id": id(&dossier), "name": "second", "dossierAttributes": {"Sponsor": "X"}});
    let updated = desk.post(&desk.dossiers(), body).await;
    assert_eq!(updated.status, 200);
    let updated = updated.json();
    assert_eq!((&updated["name"], &updated["id"]), (&json!("second"), &json!(id(&dossier))));
    assert_ne!(updated["dateAdded"], updated["dateModified"]);
    assert_eq!(updated["reportTemplateIds"], json!([desk.sim.report_template_id()]));
    assert_eq!(updated["ownerId"], desk.get("/api/users").await.json()["users"][0]["id"]);
    let template =
        desk.get("/api/dossier-templates").await.json()["dossierTemplates"][1]["id"].as_str().unwrap().to_owned();
    let inactive = desk.post(&format!("/api/dossier-templates/{template}/dossiers"), json!({"name": "x"})).await;
    assert_eq!(inactive.status, 409);
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn the_trash_keeps_for_96_hours() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let (kept, dropped) = (desk.dossier("kept").await, desk.dossier("dropped").await);
    let file = desk.file(&kept, "a.pdf", pdf(&[&["a"]])).await;
    desk.wait(30);
    assert_eq!(desk.delete(&dropped).await.status, 204);
    assert_eq!(desk.delete(&format!("{kept}/files/{file}")).await.status, 204);
    assert_eq!(desk.state(&kept, &file).await, "DELETED");
    assert_eq!(desk.get(&format!("{kept}/files")).await.json()["files"], json!([]));
    assert_eq!(desk.get(&format!("{kept}/files/{file}/components")).await.status, 409);

    let list = async |query: &str| {
        let answer = desk.get(&format!("{}{query}", desk.dossiers())).await.json();
        answer["dossiers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|dossier| dossier["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(list("").await, ["kept"]);
    assert_eq!(list("?includeSoftDeleted=true").await, ["kept", "dropped"]);
    assert_eq!(list("?includeActive=false&includeSoftDeleted=true").await, ["dropped"]);
    assert!(desk.get(&dropped).await.json()["softDeletedTime"].is_string());
    let refused = desk.upload(&dropped, "b.pdf", pdf(&[&["b"]])).await;
    assert_eq!(
        (refused.status, refused.message().as_str()),
        (409, "The dossier dropped is in the trash. Restore it before changing it.")
    );

    desk.sim.control().restore_file(&file).unwrap();
    assert_eq!(desk.state(&kept, &file).await, "PROCESSED");
    assert_eq!(desk.delete(&format!("{kept}/files/{file}?deletePermanently=true")).await.status, 204);
    assert_eq!(desk.get(&format!("{kept}/files/{file}")).await.status, 404);

    desk.wait(96 * 3600 - 60);
    assert_eq!(desk.get(&dropped).await.status, 200);
    desk.wait(60);
    assert_eq!(desk.get(&dropped).await.status, 404);
    assert_eq!(desk.delete(&format!("{kept}?deletePermanently=true")).await.status, 204);
    assert_eq!(desk.get(&kept).await.status, 404);
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn archived_dossiers_can_be_read_only() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let dossier = desk.dossier("old").await;
    let file = desk.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    desk.wait(30);
    desk.sim.control().archive_dossier(id(&dossier)).unwrap();
    let message = "The dossier old is archived and can no longer be changed.";
    let update = desk.post(&desk.dossiers(), json!({"id": id(&dossier), "name": "new"})).await;
    let upload = desk.upload(&dossier, "b.pdf", pdf(&[&["b"]])).await;
    let delete = desk.delete(&dossier).await;
    let delete_file = desk.delete(&format!("{dossier}/files/{file}")).await;
    for answer in [update, upload, delete, delete_file] {
        assert_eq!((answer.status, answer.message().as_str()), (409, message));
    }
    assert_eq!(desk.get(&format!("{dossier}/files/{file}/components")).await.status, 200);
    let package = desk.package(&dossier, json!({})).await;
    assert_eq!(desk.get(&format!("{package}/download")).await.status, 200);
    assert_eq!(desk.get(&desk.dossiers()).await.json()["dossiers"], json!([]));
    let archived = desk.get(&format!("{}?includeArchived=true", desk.dossiers())).await.json();
    assert!(archived["dossiers"][0]["archivedTime"].is_string());
    assert!(desk.sim.control().archive_dossier("none").is_err());
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn an_upload_of_the_same_name_replaces() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let dossier = desk.dossier("again").await;
    let file = desk.file(&dossier, "a.pdf", pdf(&[&["First"]])).await;
    desk.wait(30);
    desk.sim.control().edit_component(&file, "Sponsor", &["By hand"]).unwrap();
    let sponsor =
        async || desk.get(&format!("{dossier}/files/{file}/components")).await.json()["components"]["Sponsor"].clone();
    assert_eq!(sponsor().await, json!(["By hand"]));

    let path = format!("{dossier}/files?keepManualChanges=true");
    let part = reqwest::multipart::Part::bytes(pdf(&[&["Second"], &["x"]])).file_name("a.pdf");
    let answer = desk
        .send(desk.request(Method::POST, &path).multipart(reqwest::multipart::Form::new().part("file", part)))
        .await;
    assert_eq!(answer.json()["fileIds"], json!([file]), "the id stays");
    assert_eq!(desk.state(&dossier, &file).await, "UNPROCESSED");
    desk.wait(30);
    assert_eq!(sponsor().await, json!(["By hand"]));
    let shown = desk.get(&format!("{dossier}/files/{file}/components")).await.json();
    assert_eq!(shown["components"]["Title"], json!(["Second"]));

    assert_eq!(desk.file(&dossier, "a.pdf", pdf(&[&["Third"]])).await, file);
    desk.wait(30);
    assert_eq!(sponsor().await, json!([]), "changes by hand are gone unless asked for");
    let usage = desk.get("/api/license/usage").await.json();
    assert_eq!((&usage["analysedFiles"], &usage["analysedPages"]), (&json!(3), &json!(4)));
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn an_archive_brings_several_files() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let dossier = desk.dossier("zip").await;
    let (a, b) = (pdf(&[&["A"]]), pdf(&[&["B"]]));
    let archive = zip(&[("x/one.pdf", &a), ("two.pdf", &b), ("y/one.pdf", &b), ("__MACOSX/x", b"x")]);
    let answer = desk.upload(&dossier, "all.zip", archive).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["fileIds"].as_array().unwrap().len(), 3);
    let files = desk.get(&format!("{dossier}/files")).await.json();
    let names: Vec<&str> =
        files["files"].as_array().unwrap().iter().map(|file| file["fileName"].as_str().unwrap()).collect();
    assert_eq!(names, ["one.pdf", "two.pdf", "y_one.pdf"]);
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn files_go_back_to_work_fail_and_are_excluded() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let control = desk.sim.control();
    let dossier = desk.dossier("work").await;
    let file = desk.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    desk.wait(30);
    control.reanalyse(&file).unwrap();
    assert_eq!(desk.state(&dossier, &file).await, "REPROCESS");
    let busy = desk.get(&format!("{dossier}/files/{file}/components")).await;
    assert_eq!(busy.status, 409);
    let package = desk.package(&dossier, json!({})).await;
    assert_eq!(desk.state(&dossier, &file).await, "PROCESSED");
    assert_eq!(desk.get(&format!("{package}/download")).await.status, 200);
    control.set_file_attribute(&file, "Region", "EU").unwrap();
    assert_eq!(desk.get(&format!("{dossier}/files/{file}")).await.json()["fileAttributes"], json!({"Region": "EU"}));
    control.reanalyse_fully(&file).unwrap();
    assert_eq!(desk.state(&dossier, &file).await, "FULLREPROCESS");
    desk.wait(30);

    control.fail_next_analysis("The rules ran out of memory.");
    let failed = desk.file(&dossier, "b.pdf", pdf(&[&["b"]])).await;
    desk.wait(30);
    let shown = desk.get(&format!("{dossier}/files/{failed}")).await.json();
    assert_eq!(
        (&shown["processingStatus"], &shown["errorMessage"]),
        (&json!("ERROR"), &json!("The rules ran out of memory."))
    );
    control.reanalyse(&failed).unwrap();
    desk.wait(30);
    assert_eq!(desk.state(&dossier, &failed).await, "PROCESSED");

    let excluded = desk.file(&dossier, "c.pdf", pdf(&[&["c"]])).await;
    control.exclude_file(&excluded, true).unwrap();
    desk.wait(30);
    let shown = desk.get(&format!("{dossier}/files/{excluded}")).await.json();
    assert_eq!((&shown["excluded"], &shown["processingStatus"]), (&json!(true), &json!("UNPROCESSED")));
    control.exclude_file(&excluded, false).unwrap();
    desk.wait(30);
    assert_eq!(desk.state(&dossier, &excluded).await, "PROCESSED");
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn other_rules_change_what_is_found() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let dossier = desk.dossier("rules").await;
    let file = desk.file(&dossier, "a.pdf", pdf(&[&["Colour: green"]])).await;
    desk.wait(30);
    let rules = documine_sim::Rules::parse(
        "[[component]]\nname = 'Colour'\n[[component.rule]]\nid = 'Colour.1.0'\npattern = 'Colour: (.*)'\nnormalise = 'upper'",
    );
    desk.sim.control().replace_rules(rules.unwrap());
    desk.sim.control().reanalyse(&file).unwrap();
    desk.wait(30);
    let components = desk.get(&format!("{dossier}/files/{file}/components")).await.json();
    assert_eq!(components["components"], json!({"Colour": ["GREEN"]}));
}
