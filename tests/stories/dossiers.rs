//! Templates and dossiers: finding, creating, changing, archiving, deleting.

use std::slice;

use documine::{DossierFields, DossierTemplateStatus, DownloadFileType, ErrorKind, NewDossier, Source, Timestamp};

use crate::paper::{INVOICE, STUDY};
use crate::world::{World, header, query};

#[tokio::test]
async fn the_templates_are_listed_and_one_is_read() {
    let world = World::new().await;
    let templates = world.client.dossier_templates().await.unwrap();
    let listed = templates.iter().find(|template| template.id == world.template_id()).unwrap();
    assert_eq!(listed.status, Some(DossierTemplateStatus::Active));
    assert_eq!(listed.name.as_deref(), Some("Study reports and invoices"));
    let read = world.template().get().await.unwrap();
    assert_eq!(&read, listed);
}

#[tokio::test]
async fn an_unknown_template_is_not_found() {
    let world = World::new().await;
    let error = world
        .client
        .dossier_template("nowhere".parse::<documine::DossierTemplateId>().unwrap())
        .get()
        .await
        .unwrap_err();
    assert!(error.is_not_found() && !error.is_transient());
    assert_eq!(error.kind(), ErrorKind::Api);
    assert_eq!(error.operation(), Some("getDossierTemplate"));
    assert_eq!(error.attempts(), 1);
}

#[cfg(has = "getUsers")]
#[tokio::test]
async fn a_dossier_is_created_with_all_that_was_said_about_it() {
    let world = World::new().await;
    let due = Timestamp::from("2025-03-31T22:00:00.000+00:00");
    let users = world.client.users().await.unwrap();
    let fields = NewDossier::named("Q3 filings")
        .description("all of them")
        .owner(users[0].id.clone())
        .members(users.iter().map(|user| user.id.clone()))
        .due_date(due.clone())
        .download_file_types([DownloadFileType::Original, DownloadFileType::Preview])
        .attribute("Region", "EU")
        .attribute("Büro", "Zürich & Köln");
    let handle = world.template().create_dossier(fields).await.unwrap();
    let status = world.requests("createOrUpdateDossier")[0].status;
    assert!(status == 201 || (!cfg!(reconstruction) && status == 200), "{status}");
    let dossier = handle.get().await.unwrap();
    assert_eq!(handle.snapshot(), Some(&dossier));
    assert_eq!(handle.id(), &dossier.id);
    assert_eq!(dossier.name.as_deref(), Some("Q3 filings"));
    assert_eq!(dossier.description.as_deref(), Some("all of them"));
    assert_eq!(dossier.dossier_template_id.as_ref(), Some(handle.template_id()));
    assert_eq!(dossier.owner_id.as_ref(), Some(&users[0].id));
    assert_eq!(dossier.member_ids.len(), users.len());
    assert_eq!(dossier.due_date.as_ref().and_then(Timestamp::to_system_time), due.to_system_time());
    assert_eq!(dossier.download_file_types, [DownloadFileType::Original, DownloadFileType::Preview]);
    assert_eq!(dossier.dossier_attributes.get("Region").map(String::as_str), Some("EU"));
    assert_eq!(dossier.dossier_attributes.get("Büro").map(String::as_str), Some("Zürich & Köln"));
    assert!(dossier.date_added.is_some() && dossier.archived_time.is_none() && dossier.soft_deleted_time.is_none());
}

#[tokio::test]
async fn an_update_changes_one_thing_and_keeps_the_rest() {
    let world = World::new().await;
    let fields = NewDossier::named("Q3 filings")
        .description("all of them")
        .due_date(Timestamp::from("2025-03-31T22:00:00.000+00:00"))
        .download_file_types([DownloadFileType::Original])
        .attribute("Region", "EU");
    let handle = world.template().create_dossier(fields).await.unwrap();
    let before = handle.get().await.unwrap();
    world.time.pass(60);

    let updated = handle.update(DossierFields::of(&before).name("Q3 filings, audited")).await.unwrap();
    assert_eq!(world.requests("createOrUpdateDossier")[1].status, 200);
    assert_eq!(updated.id(), handle.id());
    let after = handle.get().await.unwrap();
    assert_eq!(updated.snapshot(), Some(&after));
    assert_eq!(after.name.as_deref(), Some("Q3 filings, audited"));
    assert_ne!(after.date_modified, before.date_modified);

    let mut expected = before.clone();
    expected.name.clone_from(&after.name);
    expected.date_modified.clone_from(&after.date_modified);
    assert_eq!(after, expected);
    assert_eq!(world.template().dossiers().await.unwrap(), [after]);
}

#[tokio::test]
async fn a_list_can_be_emptied_by_an_update() {
    let world = World::new().await;
    let fields = NewDossier::named("Q3 filings").download_file_types([DownloadFileType::Original]);
    let handle = world.template().create_dossier(fields).await.unwrap();
    handle.update(DossierFields::of(&handle.get().await.unwrap()).download_file_types([])).await.unwrap();
    assert_eq!(handle.get().await.unwrap().download_file_types, []);
}

#[tokio::test]
async fn a_list_holds_the_dossiers_that_are_asked_for() {
    let world = World::new().await;
    let template = world.template();
    let (active, archived, trashed) = (world.dossier().await, world.dossier().await, world.dossier().await);
    world.sim.control().archive_dossier(archived.id().as_str()).unwrap();
    trashed.delete().await.unwrap();

    let ids = async |list: documine::List<documine::DossierFilter, documine::Dossier>| {
        list.await.unwrap().into_iter().map(|dossier| dossier.id).collect::<Vec<_>>()
    };
    let (active, archived, trashed) = (active.id().clone(), archived.id().clone(), trashed.id().clone());
    assert_eq!(ids(template.dossiers()).await, slice::from_ref(&active));
    assert_eq!(ids(template.dossiers().include_archived(true)).await, [active.clone(), archived.clone()]);
    assert_eq!(
        ids(template.dossiers().include_active(false).include_soft_deleted(true)).await,
        slice::from_ref(&trashed)
    );
    assert!(ids(template.dossiers().include_active(false)).await.is_empty());
    assert_eq!(
        ids(template.dossiers().include_archived(true).include_soft_deleted(true)).await,
        [active, archived, trashed]
    );
    let queries: Vec<_> =
        world.requests("getDossiers").into_iter().map(|request| request.query.unwrap_or_default()).collect();
    let (active, archived, trashed) =
        (("includeActive", "false"), ("includeArchived", "true"), ("includeSoftDeleted", "true"));
    let asked: [&[_]; 5] = [&[], &[archived], &[active, trashed], &[active], &[archived, trashed]];
    assert_eq!(queries, asked.map(|words| query("getDossiers", words)));
}

#[tokio::test]
async fn a_deleted_dossier_lies_in_the_trash_until_it_is_deleted_for_good() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    dossier.delete().await.unwrap();
    assert!(dossier.get().await.unwrap().soft_deleted_time.is_some());
    dossier.delete().permanently().await.unwrap();
    assert!(dossier.get().await.unwrap_err().is_not_found());
    assert_eq!(world.template().dossiers().include_soft_deleted(true).await.unwrap(), []);
}

#[tokio::test]
async fn the_trash_is_emptied_after_96_hours() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    dossier.delete().await.unwrap();
    world.time.pass(96 * 3600 - 1);
    assert!(dossier.get().await.is_ok());
    world.time.pass(2);
    assert!(dossier.get().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn an_archived_dossier_can_be_read_and_not_changed() {
    let world = World::new().await;
    let (dossier, file) = world.processed("study.pdf", STUDY).await;
    world.sim.control().archive_dossier(dossier.id().as_str()).unwrap();

    let read = dossier.get().await.unwrap();
    assert!(read.archived_time.is_some());
    assert_eq!(dossier.files().await.unwrap().len(), 1);
    assert!(!file.components().await.unwrap().components.is_empty());

    let message = "409 Conflict: The dossier Q3 filings is archived and can no longer be changed.";
    let refusals = [
        dossier.update(DossierFields::of(&read).name("other")).await.map(drop).unwrap_err(),
        dossier.upload(Source::bytes("invoice.pdf", INVOICE)).await.map(drop).unwrap_err(),
        file.delete().await.unwrap_err(),
    ];
    for (error, operation) in refusals.into_iter().zip(["createOrUpdateDossier", "uploadFile", "deleteFile"]) {
        assert_eq!(error.to_string(), format!("{operation}: {message}"));
        assert!(error.is_conflict() && !error.is_transient() && !error.is_not_found());
        assert_eq!(error.kind(), ErrorKind::Api);
        assert_eq!(error.attempts(), 1);
    }
    assert_eq!(dossier.get().await.unwrap(), read);
    assert_eq!(dossier.files().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_call_can_carry_a_header_and_a_time_limit_of_its_own() {
    let world = World::new().await;
    let call = world.template().get().with_header("X-Trace", "abc").with_timeout(std::time::Duration::from_secs(5));
    call.await.unwrap();
    assert_eq!(header(&world.requests("getDossierTemplate")[0], "x-trace").as_deref(), Some("abc"));
    let before = world.journal().len();
    let error = world.template().get().with_header("X-Tra\nce", "abc").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert_eq!(error.to_string(), r#"invalid header "X-Tra\nce": characters not allowed in a header"#);
    for name in ["Content-Type", "content-length", "Transfer-Encoding", "HOST"] {
        let error = world.template().get().with_header(name, "1").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert_eq!(error.to_string(), format!("invalid header {name:?}: set by the client; remove it"));
    }
    assert_eq!(world.journal_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn a_header_of_ones_own_can_not_take_the_place_of_token_or_tenant() {
    let world = World::new().await;
    world
        .template()
        .get()
        .with_header("X-TENANT-ID", "other")
        .with_header("Authorization", "Bearer other")
        .await
        .unwrap();
    let request = &world.requests("getDossierTemplate")[0];
    assert_eq!(header(request, "x-tenant-id").as_deref(), Some(world.sim.workspace_id()));
    for name in ["x-tenant-id", "authorization"] {
        assert_eq!(request.headers.iter().filter(|(known, _)| known == name).count(), 1, "{name}");
    }
}
