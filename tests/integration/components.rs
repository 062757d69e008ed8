//! Extracted components: as JSON, as XML, with details, and as user-defined types.

use std::collections::HashMap;

use documine::ErrorKind;
use documine::extract::{self, ComponentMap, ExtractError, Sourced};
use documine_sim::Rules;
use futures_util::{StreamExt, TryStreamExt};
use serde::Deserialize;

use crate::harness::pdf_fixtures::{INVOICE, STUDY, pdf};
use crate::harness::test_env::{TestEnv, header, upload_processed};

#[tokio::test]
async fn returns_values_in_template_order() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    let components = file.components().await.unwrap();
    assert_eq!(components.file_id(), file.id());
    assert_eq!(components.dossier_id(), Some(dossier.id()));
    assert_eq!(components.dossier_template_id(), Some(dossier.template_id()));
    assert_eq!(components.file_name(), Some("study.pdf"));
    let names: Vec<_> = components.names().collect();
    let rules = Rules::built_in();
    assert_eq!(names, rules.component_names().collect::<Vec<_>>());
    assert_eq!(components.values("StudyTitle"), ["Acute Oral Toxicity of Samplium Green in the Rat"]);
    assert_eq!(components.values("StudyNumber"), ["SVL-2023-0117"]);
    assert_eq!(components.values("Sponsor"), ["Examplia Crop Care AG"]);
    assert_eq!(components.values("StudyDirector"), ["Dr. Zoë Ambrose"]);
    assert_eq!(components.values("ExperimentalCompletionDate"), ["2023-11-24"]);
    assert_eq!(components.values("CompletionDate"), ["2024-03-12"]);
    assert_eq!(components.values("BatchNumbers"), ["SG-2207-A", "SG-2208-B", "SG-2301-C"]);
    assert_eq!(components.values("GlpCompliance"), ["yes"]);
    assert_eq!(components.values("PageCount"), ["4"]);
    assert_eq!(components.values("InvoiceNumber"), Vec::<String>::new());
    assert_eq!(components.values("NoSuchComponent"), Vec::<String>::new());
    assert!(components.iter().flat_map(|component| component.iter()).all(|value| value.rule().is_none()));
}

#[tokio::test]
async fn includes_rule_and_page_in_details() {
    let env = TestEnv::new().await;
    let (_, file) = env.processed_file("study.pdf", STUDY).await;
    let components = file.components().include_details(true).await.unwrap();
    assert!(components.as_model().component_details.keys().map(String::as_str).eq(components.names()));
    let date = components.get("CompletionDate").unwrap().get(0).unwrap();
    assert_eq!(
        (date.raw(), date.original(), date.rule()),
        ("2024-03-12", Some("12 March 2024"), Some("CompletionDate.0.0"))
    );
    let batches = components.get("BatchNumbers").unwrap();
    assert_eq!(batches.iter().map(|value| value.page()).collect::<Vec<_>>(), [Some(2); 3]);
    assert_eq!(batches.get(0).unwrap().references().len(), 1);
    assert!(components.get("InvoiceNumber").unwrap().is_empty());
    assert_eq!(components.get("NoSuchComponent"), None);
    let queries: Vec<_> =
        env.requests("getComponents").into_iter().map(|request| request.query.unwrap_or_default()).collect();
    assert_eq!(queries, ["includeDetails=true"]);
}

#[cfg(has = "getDossierComponents")]
#[tokio::test]
async fn returns_components_as_xml() {
    if !documine_sim::wire::has_xml("getComponents") || !documine_sim::wire::has_xml("getDossierComponents") {
        return;
    }
    let rules = r#"
        [[component]]
        name = "Odd & <names>"
        multiple = true
        [[component.rule]]
        pattern = 'Mark: (.*)'
        [[component]]
        name = "Nothing"
        [[component.rule]]
        pattern = 'not there'
    "#;
    let env = TestEnv::with(|builder| builder.rules(Rules::parse(rules).unwrap())).await;
    let (dossier, file) = env.processed_file("a&b.pdf", &pdf(&["Mark: a < b & c\nMark: \"quoted\""])).await;
    let xml = file.components_xml().await.unwrap();
    for part in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        &format!("<fileId>{}</fileId>", file.id()),
        "<fileName>a&amp;b.pdf</fileName>",
        "<component name=\"Odd &amp; &lt;names&gt;\"><value>a &lt; b &amp; c</value>",
        "<component name=\"Nothing\"/>",
    ] {
        assert!(xml.contains(part), "{part} is not in {xml}");
    }
    let dossier_xml = dossier.components_xml().await.unwrap();
    assert!(
        dossier_xml.contains("<dossierComponents>") && dossier_xml.contains(&format!("<fileId>{}</fileId>", file.id())),
        "{dossier_xml}"
    );

    let detailed = file.components_xml().include_details(true).await.unwrap();
    assert!(detailed.len() > xml.len() && detailed.contains("Nothing"), "{detailed}");
    for operation in ["getComponents", "getDossierComponents"] {
        for request in env.requests(operation) {
            assert_eq!(header(&request, "accept").as_deref(), Some("application/xml"), "{operation}");
        }
    }
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Study {
    study_title: String,
    page_count: u32,
    glp_compliance: bool,
    batch_numbers: Vec<String>,
    completion_date: String,
    #[serde(default)]
    guidelines: Vec<Guideline>,
    invoice_number: Option<String>,
    not_in_the_template: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize, schemars::JsonSchema)]
enum Guideline {
    #[serde(rename = "OECD 420")]
    Oecd420,
    #[serde(rename = "OECD 425")]
    Oecd425,
}

#[derive(Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Invoice {
    invoice_number: String,
    total_amount: f64,
    currency: Currency,
    #[serde(flatten)]
    rest: HashMap<String, Vec<String>>,
}

#[derive(Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Currency {
    Eur,
    Usd,
}

#[tokio::test]
async fn extracts_values_into_user_type() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    let study: Study = file.components().await.unwrap().extract().unwrap();
    assert_eq!(study.study_title, "Acute Oral Toxicity of Samplium Green in the Rat");
    assert_eq!((study.page_count, study.glp_compliance), (4, true));
    assert_eq!(study.batch_numbers, ["SG-2207-A", "SG-2208-B", "SG-2301-C"]);
    assert_eq!(study.completion_date, "2024-03-12");
    assert_eq!(study.guidelines, [Guideline::Oecd420]);
    assert_eq!((study.invoice_number, study.not_in_the_template), (None, None));

    let invoice = upload_processed(&dossier, "invoice.pdf", INVOICE).await;
    let invoice: Invoice = invoice.components().await.unwrap().extract().unwrap();
    assert_eq!(invoice.invoice_number, "INV-2024-00318");
    assert_eq!((invoice.total_amount, invoice.currency), (1234.5, Currency::Eur));
    assert_eq!(invoice.rest["NetAmount"], ["1028.75"]);
}

#[tokio::test]
async fn extracts_values_with_their_origin() {
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct StudyWithOrigins {
        study_title: String,
        page_count: Sourced<u32>,
        batch_numbers: Vec<Sourced<String>>,
        completion_date: Sourced<String>,
        invoice_number: Option<Sourced<String>>,
    }
    let env = TestEnv::new().await;
    let (_, file) = env.processed_file("study.pdf", STUDY).await;
    let study: StudyWithOrigins = file.components().include_details(true).await.unwrap().extract().unwrap();
    assert_eq!(study.study_title, "Acute Oral Toxicity of Samplium Green in the Rat");
    assert_eq!((study.page_count.value, study.page_count.raw.as_str()), (4, "4"));
    assert_eq!(study.batch_numbers.iter().map(|batch| batch.page).collect::<Vec<_>>(), [Some(2); 3]);
    assert_eq!(study.completion_date.rule.as_deref(), Some("CompletionDate.0.0"));
    assert_eq!(study.completion_date.original.as_deref(), Some("12 March 2024"));
    assert_eq!(study.invoice_number, None);
    let study: StudyWithOrigins = file.components().await.unwrap().extract().unwrap();
    assert_eq!((study.completion_date.raw.as_str(), study.completion_date.rule), ("2024-03-12", None));
}

#[tokio::test]
async fn reports_every_problem_of_a_file() {
    let env = TestEnv::new().await;
    let (_, file) = env.processed_file("study.pdf", STUDY).await;
    let components = file.components().await.unwrap();
    let report = components.check::<Study>();
    assert!(report.is_satisfied() && report.is_complete(), "{report}");
    assert!(report.extra().iter().any(|name| name == "StudyNumber"), "{report}");
    let report = components.check::<Invoice>();
    assert!(!report.is_satisfied() && report.is_complete(), "{report}");
    let missing: Vec<_> = report.missing().iter().filter_map(ExtractError::component).collect();
    for name in ["InvoiceNumber", "TotalAmount", "Currency"] {
        assert!(missing.contains(&name), "{report}");
    }
    assert!(extract::describe(&components).contains("pub study_number: String,"));
}

#[tokio::test]
async fn names_file_component_field_and_value_in_extract_error() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Wrong {
        #[serde(rename = "StudyNumber")]
        number: u32,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Single {
        #[serde(rename = "BatchNumbers")]
        batch: String,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Misspelt {
        #[serde(rename = "Study_Number")]
        number: String,
    }
    let env = TestEnv::new().await;
    let (_, file) = env.processed_file("study.pdf", STUDY).await;
    let components = file.components().await.unwrap();

    let error = components.extract::<Wrong>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Extract);
    assert_eq!(
        error.to_string(),
        "study.pdf: component \"StudyNumber\" (field Wrong.StudyNumber): expected a whole number from 0 to 4294967295, found \"SVL-2023-0117\""
    );
    let source = error.detail::<ExtractError>().unwrap();
    assert_eq!(
        (source.file(), source.component(), source.value()),
        (Some("study.pdf"), Some("StudyNumber"), Some("SVL-2023-0117"))
    );
    assert_eq!((source.field(), source.file_id()), ("Wrong.StudyNumber", Some(file.id().as_str())));

    let error = source_text(&components.extract::<Single>().unwrap_err());
    assert!(
        error.starts_with("study.pdf: component \"BatchNumbers\" (field Single.BatchNumbers) has 3 values where "),
        "{error}"
    );
    let error = source_text(&components.extract::<Misspelt>().unwrap_err());
    assert_eq!(
        error,
        "study.pdf: component \"Study_Number\" (field Misspelt.Study_Number) is missing; the file has \"StudyNumber\""
    );
}

#[cfg(has = "getDossierComponents")]
#[tokio::test]
async fn streams_dossier_components_as_user_type() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(upload_processed(&dossier, &format!("{number}.pdf"), INVOICE).await.id().clone());
    }
    let found: Vec<_> = dossier.components().extract::<Invoice>().try_collect().await.unwrap();
    assert!(found.iter().map(|(id, _)| id).eq(&ids));
    assert!(found.iter().all(|(_, invoice)| invoice.currency == Currency::Eur));
    assert_eq!(env.requests("getDossierComponents").len(), 1);
}

#[cfg(has = "getDossierComponents")]
#[tokio::test]
async fn extract_error_of_one_file_does_not_affect_others() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("1.pdf", INVOICE).await;
    upload_processed(&dossier, "2.pdf", STUDY).await;
    upload_processed(&dossier, "3.pdf", INVOICE).await;
    let found: Vec<_> = dossier.components().extract::<Invoice>().collect().await;
    let fits: Vec<_> = found.iter().map(Result::is_ok).collect();
    assert_eq!(fits, [true, false, true]);
    let error = source_text(found[1].as_ref().map(drop).unwrap_err());
    assert_eq!(error, "2.pdf: component \"InvoiceNumber\" (field Invoice.InvoiceNumber) has no value");
}

#[cfg(has = "getDossierComponents")]
#[tokio::test]
async fn omits_unprocessed_file_from_dossier_components() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("1.pdf", INVOICE).await;
    let _ = dossier.upload(documine::Source::bytes("2.pdf", STUDY)).await.unwrap();
    let listed = dossier.components().include_details(true).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].file_id(), file.id());
    assert!(!listed[0].as_model().component_details.is_empty());
}

#[tokio::test]
async fn checks_user_type_against_template_before_extraction() {
    #[derive(Debug, Deserialize, schemars::JsonSchema)]
    #[allow(dead_code)]
    struct Lease {
        #[serde(rename = "Study_Number")]
        number: String,
        #[serde(rename = "Tenant")]
        tenant: String,
    }
    let env = TestEnv::new().await;
    let (_, file) = env.processed_file("study.pdf", STUDY).await;
    let components = file.components().await.unwrap();
    let report = ComponentMap::<Study>::check(&components);
    assert!(report.is_satisfied());
    assert_eq!(report.missing().iter().map(extract::MissingComponent::name).collect::<Vec<_>>(), ["NotInTheTemplate"]);

    let report = ComponentMap::<Lease>::check(&components);
    assert!(!report.is_satisfied());
    let error = report.into_result().unwrap_err();
    assert_eq!(
        error.to_string(),
        "Lease needs components that are not given: \"Study_Number\" (\"StudyNumber\" is given), \"Tenant\""
    );
}

#[tokio::test]
async fn reads_saved_components_like_live_ones() {
    let env = TestEnv::new().await;
    let (_, file) = env.processed_file("invoice.pdf", INVOICE).await;
    let live = file.components().await.unwrap();
    let saved = serde_json::to_string(&live).unwrap();
    assert_eq!(saved, serde_json::to_string(live.as_model()).unwrap());
    let loaded: documine::Components = serde_json::from_str(&saved).unwrap();
    assert_eq!(loaded, live);
    assert_eq!(documine::Components::from(loaded.clone().into_model()), live);
    assert_eq!(loaded.extract::<Invoice>().unwrap(), live.extract::<Invoice>().unwrap());
}

/// Returns the text of the extract error.
fn source_text(error: &documine::Error) -> String {
    error.detail::<ExtractError>().unwrap().to_string()
}
