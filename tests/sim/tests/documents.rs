//! Text and components of documents from different writers, and of hostile documents.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use support::{TestClient, page_pdf, pdf, raw_pdf, titled_pdf};

fn page_of(content: &str) -> Vec<u8> {
    page_pdf(content, "", "", &[])
}

#[tokio::test]
async fn title_comes_from_metadata_or_heading() {
    let Some(client) = TestClient::vendored().await else { return };
    assert_eq!(client.components(titled_pdf("Own title", &[&["Big heading", "text"]])).await["Title"][0], "Own title");
    assert_eq!(client.components(titled_pdf("untitled", &[&["Big heading", "text"]])).await["Title"][0], "Big heading");
    assert_eq!(client.components(pdf(&[&["Big heading", "text"]])).await["Title"][0], "Big heading");
    let utf16 = "\\376\\377\\000G\\000r\\000\\374\\000n";
    let titled = client.components(titled_pdf(utf16, &[&["x"]])).await;
    assert_eq!(titled["Title"][0], "Grün");
}

#[tokio::test]
async fn extracts_general_components_from_any_text() {
    let Some(client) = TestClient::vendored().await else { return };
    let lines = [
        "Minutes",
        "Held on March 3rd, 2023 and on 04.04.2023",
        "Costs: 1.234,50 EUR or $99.95",
        "ask a.b@example.org",
    ];
    let found = client.components(pdf(&[&lines])).await;
    assert_eq!(found["Dates"], serde_json::json!(["2023-03-03", "2023-04-04"]));
    assert_eq!(found["Amounts"], serde_json::json!(["1.234,50 EUR", "$99.95"]));
    assert_eq!(found["EmailAddresses"], serde_json::json!(["a.b@example.org"]));
    assert_eq!(found["PageCount"], serde_json::json!(["1"]));
}

#[tokio::test]
async fn reads_lines_in_any_drawing_order() {
    let Some(client) = TestClient::vendored().await else { return };
    // Operators that start a new line and show text.
    let operators =
        "BT /F1 11 Tf 14 TL 72 700 Td (Sponsor: One) Tj (Study number: AB-1) ' 0 0 (Invoice date: 5 May 2024) \" ET";
    let found = client.components(page_of(operators)).await;
    assert_eq!((&found["Sponsor"][0], &found["StudyNumber"][0]), (&"One".into(), &"AB-1".into()));
    assert_eq!(found["InvoiceDate"][0], "2024-05-05");
    // A form drawn column by column: first all labels, then all values.
    let columns = "BT /F1 11 Tf 72 700 Td (Sponsor:) Tj 0 -20 Td (Species:) Tj ET BT /F1 11 Tf 300 700 Td (Two) Tj 0 -20 Td (Rat) Tj ET";
    let found = client.components(page_of(columns)).await;
    assert_eq!((&found["Sponsor"][0], &found["Species"][0]), (&"Two".into(), &"Rat".into()));
    // A rotated page with separately placed words.
    let turned = "BT /F1 11 Tf 0 1 -1 0 300 100 Tm (Sponsor:) Tj ET BT /F1 11 Tf 0 1 -1 0 300 160 Tm (Three) Tj ET";
    assert_eq!(client.components(page_of(turned)).await["Sponsor"][0], "Three");
}

#[tokio::test]
async fn reads_documents_with_a_wrong_cross_reference_table() {
    let Some(client) = TestClient::vendored().await else { return };
    let good = pdf(&[&["Sponsor: Here"]]);
    let text = String::from_utf8_lossy(&good).into_owned();
    assert!(text.contains("startxref"));
    let moved: Vec<u8> = [&good[..9], b"% something that moved everything\n", &good[9..]].concat();
    assert_eq!(client.components(moved).await["Title"][0], "Sponsor: Here");
    let boxless = String::from_utf8_lossy(&page_of("BT /F1 11 Tf 72 700 Td (Sponsor: Boxless) Tj ET"))
        .replace("/MediaBox [0 0 595 842]", "");
    assert_eq!(client.components(boxless.into_bytes()).await["Sponsor"][0], "Boxless");
}

#[tokio::test]
async fn survives_hostile_documents() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("d").await;
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let circle = raw_pdf(&[
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 /Parent 2 0 R >>",
    ]);
    let no_font = page_of("BT /F9 11 Tf 72 700 Td (text) Tj ET");
    let bad_operands = page_of("BT /F1 Tf Td Tm cm (text) TJ (text) Tj ET Q Q Q /Nothing Do");
    let endless = raw_pdf(&[
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << /XObject << /X 4 0 R >> >> /Contents 5 0 R >>",
        "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 4 0 R >> >> /Length 5 >>\nstream\n/X Do\nendstream",
        "<< /Length 5 >>\nstream\n/X Do\nendstream",
    ]);
    for (name, bytes) in [
        ("nested.pdf", page_of(&nested)),
        ("circle.pdf", circle),
        ("no-font.pdf", no_font),
        ("bad-operands.pdf", bad_operands),
        ("endless.pdf", endless),
        ("huge-number.pdf", page_of(&format!("BT /F1 11 Tf {} 0 Td (x) Tj ET", "9".repeat(400)))),
    ] {
        let response = client.upload(&dossier, name, bytes).await;
        assert!(matches!(response.status, 201 | 400), "{name}: {} {}", response.status, response.text());
    }
    assert_eq!(client.get("/api/license").await.status, 200);
}
