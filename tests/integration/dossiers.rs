//! Templates and dossiers: list, create, update, archive, delete.

use std::slice;

use documine::{
    DossierFields, DownloadFileType, ErrorKind, Source,
    models::{DossierTemplateStatus, Timestamp},
    retry::RetryMode,
};
use documine_sim::Fault;

use crate::harness::messages::reserved_header;
use crate::harness::pdf_fixtures::{INVOICE, STUDY};
use crate::harness::test_env::{TestEnv, header, operation_query};

#[tokio::test]
async fn lists_templates_and_reads_one() {
    let env = TestEnv::new().await;
    let templates = env.client.dossier_templates().await.unwrap();
    let listed = templates.iter().find(|template| template.id == env.template_id()).unwrap();
    assert_eq!(listed.status, Some(DossierTemplateStatus::Active));
    assert_eq!(listed.name.as_deref(), Some("Study reports and invoices"));
    let read = env.template().get().await.unwrap();
    assert_eq!(&read, listed);
}

#[tokio::test]
async fn returns_not_found_for_unknown_template() {
    let env = TestEnv::new().await;
    let error =
        env.client.dossier_template("nowhere".parse::<documine::DossierTemplateId>().unwrap()).get().await.unwrap_err();
    assert!(error.is_not_found() && !error.is_transient());
    assert_eq!(error.kind(), ErrorKind::Api);
    assert_eq!(error.operation(), Some("getDossierTemplate"));
    assert_eq!(error.attempts(), 1);
}

#[cfg(has = "getUsers")]
#[tokio::test]
async fn creates_dossier_with_all_fields() {
    let env = TestEnv::new().await;
    let due = Timestamp::from("2025-03-31T22:00:00.000+00:00");
    let users = env.client.users().await.unwrap();
    let fields = DossierFields::named("Q3 filings")
        .description("all of them")
        .owner(users[0].id.clone())
        .members(users.iter().map(|user| user.id.clone()))
        .due_date(due.clone())
        .download_file_types([DownloadFileType::Original, DownloadFileType::Preview])
        .attribute("Region", "EU")
        .attribute("Büro", "Zürich & Köln");
    let handle = env.template().create_dossier(fields).await.unwrap();
    let status = env.requests("createOrUpdateDossier")[0].status;
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

/// Creates a dossier of this name and returns its id.
async fn create(env: &TestEnv, name: &str) -> documine::models::DossierId {
    env.template().create_dossier(DossierFields::named(name)).await.unwrap().id().clone()
}

#[tokio::test]
async fn finds_dossier_by_name_or_creates_it() {
    let env = TestEnv::new().await;
    create(&env, "Q3 filings, drafts").await;
    create(&env, "q3 filings").await;
    let fields = || DossierFields::named("Q3 filings").description("all of them");
    let created = env.template().find_or_create_dossier(fields()).await.unwrap();
    assert!(created.was_created());
    assert_eq!(created.snapshot().unwrap().description.as_deref(), Some("all of them"));
    let found = env.template().find_or_create_dossier(fields().description("other")).await.unwrap();
    assert_eq!((found.id(), found.was_created()), (created.id(), false));
    assert_eq!(found.snapshot(), created.snapshot(), "an existing dossier is not changed");
    assert_eq!(env.requests("createOrUpdateDossier").len(), 3);
    assert!(!env.template().dossier(found.id()).was_created());
    let error = env.template().find_or_create_dossier(DossierFields::named(" ")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert_eq!(env.requests("getDossiers").len(), 2, "an empty name is refused before any request");
}

#[tokio::test]
async fn find_or_create_ignores_archived_and_deleted_dossiers() {
    let env = TestEnv::new().await;
    let (archived, trashed) = (create(&env, "Q3 filings").await, create(&env, "Q3 filings").await);
    env.sim.control().archive_dossier(archived.as_str()).unwrap();
    env.template().dossier(&trashed).delete().await.unwrap();
    let created = env.template().find_or_create_dossier(DossierFields::named("Q3 filings")).await.unwrap();
    assert!(created.was_created() && *created.id() != archived && *created.id() != trashed);
    // A service that lists the trash in spite of the filter.
    let patch = r#"[{"op":"add","path":"/dossiers/0/softDeletedTime","value":"2025-01-01T00:00:00.000+00:00"}]"#;
    env.add_fault(Fault::on("getDossiers").times(1).patch(patch));
    let next = env.template().find_or_create_dossier(DossierFields::named("Q3 filings")).await.unwrap();
    assert!(next.was_created() && next.id() != created.id());
}

#[tokio::test]
async fn find_or_create_reports_ids_of_dossiers_with_the_same_name() {
    let env = TestEnv::new().await;
    let (first, second) = (create(&env, "Prüfung").await, create(&env, "Prüfung").await);
    let error = env.template().find_or_create_dossier(DossierFields::named("Prüfung")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "getDossiers: dossier name \"Prüfung\": 2 active dossiers have this name: {first}, {second}; pass the id of one of them to `dossier(id)`"
        )
    );
    assert_eq!((error.kind(), env.requests("createOrUpdateDossier").len()), (ErrorKind::Input, 2));
    // The given Unicode form takes precedence over another form.
    let decomposed = create(&env, "Pru\u{308}fung").await;
    let found = env.template().find_or_create_dossier(DossierFields::named("Pru\u{308}fung")).await.unwrap();
    assert_eq!((found.id(), found.was_created()), (&decomposed, false));
    env.template().dossier(&first).delete().await.unwrap();
    env.template().dossier(&second).delete().await.unwrap();
    let found = env.template().find_or_create_dossier(DossierFields::named("Prüfung")).await.unwrap();
    assert_eq!((found.id(), found.was_created()), (&decomposed, false), "another form of the same name");
}

#[tokio::test]
async fn lost_creation_is_found_in_every_retry_mode() {
    for mode in [RetryMode::Never, RetryMode::IfSafe, RetryMode::EvenIfSent] {
        let env = TestEnv::new().await;
        env.add_fault(Fault::on("createOrUpdateDossier").times(1).reset_before_headers());
        let fields = DossierFields::named("Q3 filings");
        let call = env.template().find_or_create_dossier(fields).with_retry_mode(mode).with_header("X-Trace", "abc");
        let dossier = call.await.unwrap();
        assert!(dossier.was_created());
        assert_eq!(env.requests("createOrUpdateDossier").len(), 1, "{mode:?}");
        assert_eq!(env.template().dossiers().await.unwrap().len(), 1, "{mode:?}");
        let searches = env.requests("getDossiers");
        assert!(searches[..2].iter().all(|request| header(request, "x-trace").as_deref() == Some("abc")));
    }
}

#[tokio::test]
async fn repeats_creation_that_was_never_processed() {
    let env = TestEnv::new().await;
    env.add_fault(Fault::on("createOrUpdateDossier").times(1).status(502));
    let dossier = env.template().find_or_create_dossier(DossierFields::named("Q3 filings")).await.unwrap();
    assert!(dossier.was_created());
    assert_eq!(env.requests("createOrUpdateDossier").len(), 2);
    env.add_fault(Fault::on("createOrUpdateDossier").status(502));
    let error = env.template().find_or_create_dossier(DossierFields::named("Q4 filings")).await.unwrap_err();
    let note = "; the list of the template does not contain the dossier";
    assert!(error.to_string().ends_with(note), "{error}");
    assert_eq!(env.requests("createOrUpdateDossier").len(), 5, "three requests");
    assert_eq!(env.template().dossiers().await.unwrap().len(), 1);
}

#[tokio::test]
async fn failed_search_does_not_hide_the_lost_creation() {
    let env = TestEnv::new().await;
    env.add_fault(Fault::on("createOrUpdateDossier").times(1).status(502));
    env.add_fault(Fault::on("getDossiers").nth(2).times(1).status(403));
    let error = env.template().find_or_create_dossier(DossierFields::named("Q3 filings")).await.unwrap_err();
    assert_eq!(error.operation(), Some("createOrUpdateDossier"));
    assert!(!error.is_safe_to_repeat(), "{error:?}");
    assert!(error.to_string().contains("; the search for the result failed: getDossiers: 403"), "{error}");
    // Without retries, the dossier is searched, but not created again.
    env.add_fault(Fault::on("createOrUpdateDossier").times(1).status(502));
    let call = env.template().find_or_create_dossier(DossierFields::named("Q3 filings"));
    call.with_retry_mode(RetryMode::Never).await.unwrap_err();
    assert_eq!(env.requests("createOrUpdateDossier").len(), 2);
}

#[tokio::test]
async fn updates_one_field_and_keeps_the_others() {
    let env = TestEnv::new().await;
    let fields = DossierFields::named("Q3 filings")
        .description("all of them")
        .due_date(Timestamp::from("2025-03-31T22:00:00.000+00:00"))
        .download_file_types([DownloadFileType::Original])
        .attribute("Region", "EU");
    let handle = env.template().create_dossier(fields).await.unwrap();
    let before = handle.get().await.unwrap();
    env.time.advance(60);

    let updated = handle.update(DossierFields::of(&before).name("Q3 filings, audited")).await.unwrap();
    assert_eq!(env.requests("createOrUpdateDossier")[1].status, 200);
    assert_eq!(updated.id(), handle.id());
    let after = handle.get().await.unwrap();
    assert_eq!(updated.snapshot(), Some(&after));
    assert_eq!(after.name.as_deref(), Some("Q3 filings, audited"));
    assert_ne!(after.date_modified, before.date_modified);

    let mut expected = before.clone();
    expected.name.clone_from(&after.name);
    expected.date_modified.clone_from(&after.date_modified);
    assert_eq!(after, expected);
    assert_eq!(env.template().dossiers().await.unwrap(), [after]);
}

#[tokio::test]
async fn update_can_empty_a_list() {
    let env = TestEnv::new().await;
    let fields = DossierFields::named("Q3 filings").download_file_types([DownloadFileType::Original]);
    let handle = env.template().create_dossier(fields).await.unwrap();
    handle.update(DossierFields::of(&handle.get().await.unwrap()).download_file_types([])).await.unwrap();
    assert_eq!(handle.get().await.unwrap().download_file_types, []);
}

#[tokio::test]
async fn filters_dossiers_by_state() {
    let env = TestEnv::new().await;
    let template = env.template();
    let (active, archived, trashed) = (env.dossier().await, env.dossier().await, env.dossier().await);
    env.sim.control().archive_dossier(archived.id().as_str()).unwrap();
    trashed.delete().await.unwrap();

    let ids = async |list: documine::request::ListDossiers| {
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
        env.requests("getDossiers").into_iter().map(|request| request.query.unwrap_or_default()).collect();
    let (active, archived, trashed) =
        (("includeActive", "false"), ("includeArchived", "true"), ("includeSoftDeleted", "true"));
    let requested: [&[_]; 5] = [&[], &[archived], &[active, trashed], &[active], &[archived, trashed]];
    assert_eq!(queries, requested.map(|words| operation_query("getDossiers", words)));
}

#[tokio::test]
async fn keeps_deleted_dossier_in_trash_until_permanent_deletion() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    dossier.delete().await.unwrap();
    assert!(dossier.get().await.unwrap().soft_deleted_time.is_some());
    dossier.delete().permanently(true).await.unwrap();
    assert!(dossier.get().await.unwrap_err().is_not_found());
    assert_eq!(env.template().dossiers().include_soft_deleted(true).await.unwrap(), []);
}

#[tokio::test]
async fn empties_trash_after_96_hours() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    dossier.delete().await.unwrap();
    env.time.advance(96 * 3600 - 1);
    assert!(dossier.get().await.is_ok());
    env.time.advance(2);
    assert!(dossier.get().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn archived_dossier_is_read_only() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    env.sim.control().archive_dossier(dossier.id().as_str()).unwrap();

    let read = dossier.get().await.unwrap();
    assert!(read.archived_time.is_some());
    assert_eq!(dossier.files().await.unwrap().len(), 1);
    assert!(!file.components().await.unwrap().is_empty());

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
async fn call_accepts_own_header_and_timeout() {
    let env = TestEnv::new().await;
    let call = env.template().get().with_header("X-Trace", "abc").with_timeout(std::time::Duration::from_secs(5));
    call.await.unwrap();
    assert_eq!(header(&env.requests("getDossierTemplate")[0], "x-trace").as_deref(), Some("abc"));
    let before = env.request_log().len();
    let error = env.template().get().with_header("X-Tra\nce", "abc").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert_eq!(error.to_string(), r#"invalid header "X-Tra\nce": characters not allowed in a header"#);
    for name in ["Content-Type", "content-length", "Transfer-Encoding", "HOST", "Authorization", "x-tenant-id"] {
        let error = env.template().get().with_header(name, "1").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert_eq!(error.to_string(), reserved_header(name));
    }
    assert_eq!(env.request_log_since(before), Vec::<String>::new());
}
