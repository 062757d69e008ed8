//! The main flow of the API: dossier, upload, states, components, package, license.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use documine_sim::Simulator;
use reqwest::Method;
use serde_json::{Value, json};
use support::{TestClient, assert_clean, pdf, sample, unzip};

fn value(components: &Value, name: &str) -> String {
    let values =
        components["components"][name].as_array().unwrap_or_else(|| panic!("no component {name}: {components}"));
    values.iter().map(|value| value.as_str().unwrap()).collect::<Vec<_>>().join("|")
}

#[tokio::test]
async fn extracts_components_from_the_samples() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("Q3 filings").await;
    let report = client.file(&dossier, "study-report.pdf", sample("study-report.pdf")).await;
    let invoice = client.file(&dossier, "invoice.pdf", sample("invoice.pdf")).await;
    let scan = client.file(&dossier, "scan.pdf", sample("scan.pdf")).await;
    client.advance(60);

    let components = client.get(&format!("{dossier}/files/{report}/components")).await.json();
    for (name, expected) in [
        ("Title", "Acute Oral Toxicity of Samplium Green in the Rat"),
        ("PageCount", "4"),
        ("StudyNumber", "SVL-2023-0117"),
        ("Sponsor", "Examplia Crop Care AG"),
        ("TestFacility", "Sample Valley Laboratories"),
        ("Species", "Rat (Wistar)"),
        ("Guidelines", "OECD 420"),
        ("CompletionDate", "2024-03-12"),
        ("ExperimentalStartDate", "2023-10-09"),
        ("ExperimentalCompletionDate", "2023-11-24"),
        ("BatchNumbers", "SG-2207-A|SG-2208-B|SG-2301-C"),
        ("Conclusion", "Not classified"),
        ("InvoiceNumber", ""),
        ("Remarks", ""),
    ] {
        assert_eq!(value(&components, name), expected, "{name}");
    }

    let components = client.get(&format!("{dossier}/files/{invoice}/components")).await.json();
    for (name, expected) in [
        ("InvoiceNumber", "INV-2024-00318"),
        ("InvoiceDate", "2024-04-02"),
        ("DueDate", "2024-05-02"),
        ("Supplier", "Papermill Office Services Ltd"),
        ("Customer", "Examplia Crop Care AG"),
        ("NetAmount", "1028.75"),
        ("TaxAmount", "205.75"),
        ("TotalAmount", "1234.50"),
        ("Currency", "EUR"),
        ("EmailAddresses", "accounts@papermill.example"),
    ] {
        assert_eq!(value(&components, name), expected, "{name}");
    }

    let components = client.get(&format!("{dossier}/files/{scan}/components")).await.json();
    assert_eq!(value(&components, "PageCount"), "2");
    assert_eq!(value(&components, "Title"), "");
    assert!(value(&components, "Remarks").contains("does not read pixels"));

    let usage = client.get("/api/license/usage").await.json();
    assert_eq!(
        (&usage["analysedFiles"], &usage["analysedPages"], &usage["ocrPages"]),
        (&json!(3), &json!(7), &json!(2))
    );
    assert_clean(&client.sim);
}

#[tokio::test]
async fn states_follow_the_clock_and_images_need_ocr() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("states").await;
    let text = client.file(&dossier, "text.pdf", pdf(&[&["Hello"]])).await;
    let scan = client.file(&dossier, "scan.pdf", pdf(&[&[], &["Some text"]])).await;
    assert_eq!(client.state(&dossier, &text).await, "UNPROCESSED");
    let early = client.get(&format!("{dossier}/files/{text}/components")).await;
    assert_eq!(
        (early.status, early.message().as_str()),
        (409, "The file text.pdf has not been analysed yet; it is UNPROCESSED.")
    );

    let mut seen: Vec<Vec<String>> = vec![Vec::new(), Vec::new()];
    for _ in 0..100 {
        for (index, file) in [&text, &scan].into_iter().enumerate() {
            let state = client.state(&dossier, file).await;
            if seen[index].last() != Some(&state) {
                seen[index].push(state);
            }
        }
        client.sim.clock().advance(std::time::Duration::from_millis(50));
    }
    assert_eq!(seen[0], ["UNPROCESSED", "PROCESSING", "ANALYSE", "INDEXING", "PROCESSED"]);
    let recognised =
        ["UNPROCESSED", "PROCESSING", "OCR_PROCESSING_QUEUED", "OCR_PROCESSING", "ANALYSE", "INDEXING", "PROCESSED"];
    assert_eq!(seen[1], recognised);

    let file = client.get(&format!("{dossier}/files/{scan}")).await.json();
    assert_eq!((&file["numberOfPages"], &file["excluded"]), (&json!(2), &json!(false)));
    assert!(file["lastProcessed"].is_string());
    assert_clean(&client.sim);
}

#[tokio::test]
async fn returns_components_with_details_as_json_and_xml_in_rule_order() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("components").await;
    let bytes = pdf(&[&["Report A & B"], &["Completion date: 12 March 2024"]]);
    let file = client.file(&dossier, "a <b>.pdf", bytes).await;
    let waiting = client.file(&dossier, "later.pdf", pdf(&[&["x"]])).await;
    client.advance(60);
    client.sim.control().reanalyse(&waiting).unwrap();

    let detailed = client.get(&format!("{dossier}/files/{file}/components?includeDetails=true")).await;
    let found = &detailed.json()["componentDetails"]["CompletionDate"]["values"][0];
    assert_eq!(found["value"], "2024-03-12");
    assert_eq!(found["originalValue"], "12 March 2024");
    assert_eq!(found["componentRuleId"], "CompletionDate.0.0");
    assert_eq!(found["entityReferences"][0]["page"], 2);
    let text = detailed.text();
    assert!(
        text.find("\"Title\"").unwrap() < text.find("\"PageCount\"").unwrap(),
        "components follow the order of the rules"
    );
    let plain = client.get(&format!("{dossier}/files/{file}/components")).await.json();
    assert!(plain.get("componentDetails").is_none());

    let request = client.request(Method::GET, &format!("{dossier}/files/{file}/components"));
    let xml = client.send(request.header("accept", "application/xml, application/json;q=0.5")).await;
    assert_eq!(xml.header("content-type"), "application/xml");
    assert!(xml.text().contains("<fileName>a &lt;b&gt;.pdf</fileName>"), "{}", xml.text());
    assert!(xml.text().contains("<component name=\"CompletionDate\"><value>2024-03-12</value></component>"));

    let all = client.get(&format!("{dossier}/bulk/components")).await.json();
    assert_eq!(all["files"].as_array().unwrap().len(), 1, "unfinished files are left out");
    let request = client.request(Method::GET, &format!("{dossier}/bulk/components?includeDetails=true"));
    let xml = client.send(request.header("accept", "application/xml")).await.text();
    assert!(xml.starts_with("<?xml") && xml.contains("<dossierComponents>") && xml.contains("page=\"2\""));
    assert_clean(&client.sim);
}

#[tokio::test]
async fn identical_runs_yield_identical_ids_and_packages() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let Some(client) = TestClient::vendored().await else { return };
        let dossier = client.dossier("twice").await;
        client.file(&dossier, "a.pdf", sample("invoice.pdf")).await;
        client.advance(60);
        let package = client.package(&dossier, json!({})).await;
        let response = client.get(&format!("{package}/download")).await;
        assert_eq!(response.status, 200, "{}", response.text());
        runs.push((dossier, package, response.header("etag").to_owned(), response.body));
    }
    assert!(runs[0] == runs[1], "two runs with the same seed differ");
    let other = Simulator::builder().seed(2).start().await.unwrap();
    assert!(!runs[0].0.contains(other.dossier_template_id().as_str()));
}

#[tokio::test]
async fn package_contains_the_requested_content() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("Prüfung 1/2").await;
    let first = client.file(&dossier, "a.pdf", sample("study-report.pdf")).await;
    let second = client.file(&dossier, "b.pdf", sample("invoice.pdf")).await;
    client.advance(60);

    let whole = client.package(&dossier, json!({"downloadFileTypes": ["ORIGINAL", "PREVIEW"]})).await;
    let response = client.get(&format!("{whole}/download")).await;
    assert_eq!((response.status, response.header("content-type")), (200, "application/zip"));
    assert!(response.header("content-disposition").contains("filename*=UTF-8''Pr%C3%BCfung%201_2.zip"));
    let entries = unzip(&response.body);
    let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "Originals/a.pdf",
        "Originals/b.pdf",
        "Previews/a.pdf",
        "Previews/b.pdf",
        "Previews/NOTE.txt",
        "Reports/Extraction report - Prüfung 1_2.xlsx",
        "Components/a.components.json",
        "Components/a.components.xml",
        "Components/b.components.json",
        "Components/b.components.xml",
    ];
    assert_eq!(names, expected);
    assert_eq!(entries[0].1, sample("study-report.pdf"));
    let workbook = unzip(&entries[5].1);
    assert!(workbook.iter().any(|(name, _)| name == "xl/workbook.xml"));
    let components: Value = serde_json::from_slice(&entries[6].1).unwrap();
    assert_eq!(components["components"]["StudyNumber"][0], "SVL-2023-0117");

    let one = client.package(&format!("{dossier}/files/{first}"), json!({"reportTemplateIds": []})).await;
    let names: Vec<String> =
        unzip(&client.get(&format!("{one}/download")).await.body).into_iter().map(|entry| entry.0).collect();
    assert_eq!(names, ["Originals/a.pdf", "Components/a.components.json", "Components/a.components.xml"]);

    let some = json!({"fileIds": [second, second], "downloadFileTypes": []});
    let some = client.package(&format!("{dossier}/files/bulk"), some).await;
    let names: Vec<String> =
        unzip(&client.get(&format!("{some}/download")).await.body).into_iter().map(|entry| entry.0).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(client.get("/api/downloads").await.json()["downloads"].as_array().unwrap().len(), 3);
    assert_clean(&client.sim);
}
