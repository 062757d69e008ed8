//! Documents of all makes: what is read of them, and that none of them does harm.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use serde_json::Value;
use support::{Desk, pdf, raw_pdf, titled_pdf};

/// Uploads a document, waits and gives its components.
async fn components(bytes: Vec<u8>) -> Value {
    let desk = Desk::new().await;
    let dossier = desk.dossier("d").await;
    let file = desk.file(&dossier, "x.pdf", bytes).await;
    desk.wait(60);
    desk.get(&format!("{dossier}/files/{file}/components")).await.json()["components"].clone()
}

const ONE_PAGE: &str =
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R >>";
const FONT: &str = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";

fn page_of(content: &str) -> Vec<u8> {
    raw_pdf(&[
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        ONE_PAGE,
        FONT,
        &format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
    ])
}

#[tokio::test]
async fn the_title_is_the_documents_own_or_its_heading() {
    if support::other_document() {
        return;
    }
    assert_eq!(components(titled_pdf("Own title", &[&["Big heading", "text"]])).await["Title"][0], "Own title");
    assert_eq!(components(titled_pdf("untitled", &[&["Big heading", "text"]])).await["Title"][0], "Big heading");
    assert_eq!(components(pdf(&[&["Big heading", "text"]])).await["Title"][0], "Big heading");
    let utf16 = "\\376\\377\\000G\\000r\\000\\374\\000n";
    let titled = components(titled_pdf(utf16, &[&["x"]])).await;
    assert_eq!(titled["Title"][0], "Grün");
}

#[tokio::test]
async fn any_text_yields_the_general_components() {
    if support::other_document() {
        return;
    }
    let lines = [
        "Minutes",
        "Held on March 3rd, 2023 and on 04.04.2023",
        "Costs: 1.234,50 EUR or $99.95",
        "ask a.b@example.org",
    ];
    let found = components(pdf(&[&lines])).await;
    assert_eq!(found["Dates"], serde_json::json!(["2023-03-03", "2023-04-04"]));
    assert_eq!(found["Amounts"], serde_json::json!(["1.234,50 EUR", "$99.95"]));
    assert_eq!(found["EmailAddresses"], serde_json::json!(["a.b@example.org"]));
    assert_eq!(found["PageCount"], serde_json::json!(["1"]));
}

#[tokio::test]
async fn lines_are_found_however_they_are_drawn() {
    if support::other_document() {
        return;
    }
    // With the operators for a new line and a text in one.
    let operators =
        "BT /F1 11 Tf 14 TL 72 700 Td (Sponsor: One) Tj (Study number: AB-1) ' 0 0 (Invoice date: 5 May 2024) \" ET";
    let found = components(page_of(operators)).await;
    assert_eq!((&found["Sponsor"][0], &found["StudyNumber"][0]), (&"One".into(), &"AB-1".into()));
    assert_eq!(found["InvoiceDate"][0], "2024-05-05");
    // A form that is drawn column by column: first all labels, then all values.
    let columns = "BT /F1 11 Tf 72 700 Td (Sponsor:) Tj 0 -20 Td (Species:) Tj ET BT /F1 11 Tf 300 700 Td (Two) Tj 0 -20 Td (Rat) Tj ET";
    let found = components(page_of(columns)).await;
    assert_eq!((&found["Sponsor"][0], &found["Species"][0]), (&"Two".into(), &"Rat".into()));
    // A page that stands on its side, every word placed on its own.
    let turned = "BT /F1 11 Tf 0 1 -1 0 300 100 Tm (Sponsor:) Tj ET BT /F1 11 Tf 0 1 -1 0 300 160 Tm (Three) Tj ET";
    assert_eq!(components(page_of(turned)).await["Sponsor"][0], "Three");
}

#[tokio::test]
async fn whole_documents_with_a_wrong_table_are_read() {
    if support::other_document() {
        return;
    }
    let good = pdf(&[&["Sponsor: Here"]]);
    let text = String::from_utf8_lossy(&good).into_owned();
    assert!(text.contains("startxref"));
    let moved: Vec<u8> = [&good[..9], b"% something that moved everything\n", &good[9..]].concat();
    assert_eq!(components(moved).await["Title"][0], "Sponsor: Here");
    let boxless = String::from_utf8_lossy(&page_of("BT /F1 11 Tf 72 700 Td (Sponsor: Boxless) Tj ET"))
        .replace("/MediaBox [0 0 595 842]", "");
    assert_eq!(components(boxless.into_bytes()).await["Sponsor"][0], "Boxless");
}

#[tokio::test]
async fn hostile_documents_leave_the_server_alive() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let dossier = desk.dossier("d").await;
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
        let answer = desk.upload(&dossier, name, bytes).await;
        assert!(matches!(answer.status, 201 | 400), "{name}: {} {}", answer.status, answer.text());
    }
    assert_eq!(desk.get("/api/license").await.status, 200);
}
