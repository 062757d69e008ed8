//! Pages with one malformed part: at most that part is lost, and everything else is read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use serde_json::Value;
use support::{HELVETICA, TestClient, page_pdf, raw_pdf, stream};

/// Lines before and after the malformed part.
const BEFORE: &str = "BT /F1 11 Tf 72 700 Td (Sponsor: Before) Tj ET\n";
const BEHIND: &str = "\nBT /F1 11 Tf 72 600 Td (Study number: AB-1) Tj ET";

/// Returns a page with valid lines around `odd`, further resources, and further objects (from number 6).
fn page(odd: &str, fonts: &str, resources: &str, objects: &[&str]) -> Vec<u8> {
    page_pdf(&format!("{BEFORE}{odd}{BEHIND}"), fonts, resources, objects)
}

fn remarks(found: &Value) -> String {
    found["Remarks"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn reads_text_in_predefined_cmaps() {
    let Some(client) = TestClient::vendored().await else { return };
    for (cmap, hex) in [
        ("UniGB-UCS2-H", "0053006f006c0064003a00204e2d6587"),
        ("UniGB-UTF16-H", "0053006f006c0064003a00204e2d6587"),
        ("UniCNS-UCS2-H", "0053006f006c0064003a00204e2d6587"),
        ("UniJIS-UTF16-H", "0053006f006c0064003a00204e2d6587"),
        ("UniKS-UCS2-H", "0053006f006c0064003a00204e2d6587"),
        ("GBK-EUC-H", "536f6c643a20d6d0cec4"),
        ("ETen-B5-H", "536f6c643a20a4a4a4e5"),
        ("90ms-RKSJ-H", "536f6c643a2092868cb6"),
        ("90msp-RKSJ-V", "536f6c643a2092868cb6"),
    ] {
        let font =
            format!("<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /{cmap} /DescendantFonts [7 0 R] >>");
        let descendant = "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Song /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /DW 1000 >>";
        let odd = format!("BT /F2 11 Tf 72 650 Td <{hex}> Tj ET");
        let found = client.components(page(&odd, "/F2 6 0 R", "", &[&font, descendant])).await;
        assert_eq!((&found["Sponsor"][0], &found["StudyNumber"][0]), (&"Before".into(), &"AB-1".into()), "{cmap}");
        assert_eq!(remarks(&found), "", "{cmap}");
        let rule = "[[component]]\nname = 'Sold'\n[[component.rule]]\npattern = 'Sold: (.*)'";
        let rules = documine_sim::Rules::parse(rule).unwrap();
        let other = TestClient::with(TestClient::builder().rules(rules)).await;
        let found = other.components(page(&odd, "/F2 6 0 R", "", &[&font, descendant])).await;
        let text = found["Sold"][0].as_str().unwrap_or_default();
        assert!(["中文", "中言", "中湖"].contains(&text) || text.starts_with('中'), "{cmap}: {found}");
    }
}

#[tokio::test]
async fn odd_font_loses_only_its_own_text() {
    let Some(client) = TestClient::vendored().await else { return };
    let odd = "BT /F2 11 Tf 72 650 Td (Supplier: Odd) Tj ET";
    let map = stream("", "begincmap 1 beginbfchar <41> <004> endbfchar garbage");
    let glyph = stream("", "500 0 d0");
    let program = stream("/Subtype /Type1C", "no font at all");
    // True if the text in the font is readable too.
    let cases: [(&str, bool, &[&str]); 26] = [
        ("<< /Type /Font /Subtype /Type1 /BaseFont /Odd /Encoding /StandardEncoding >>", true, &[]),
        ("<< /Type /Font /Subtype /Type1 /BaseFont /Odd /Encoding /NoSuchEncoding >>", true, &[]),
        ("<< /Type /Font /Subtype /Type1 /BaseFont /Odd /Encoding 99 0 R >>", true, &[]),
        (
            "<< /Type /Font /Subtype /Type1 /BaseFont /Odd /Encoding << /Differences [65 /A (x) 300 /B -1 /C 66 /uni20AC] >> >>",
            true,
            &[],
        ),
        ("<< /Type /Font /Subtype /Type1 /BaseFont /Odd /Encoding << /BaseEncoding /StandardEncoding >> >>", true, &[]),
        ("<< /Type /Font /Subtype /Type1 >>", true, &[]),
        ("<< /Subtype /TrueType /BaseFont /Arial >>", true, &[]),
        ("<< /BaseFont /Odd >>", true, &[]),
        ("<< /Type /Font /Subtype /MMType1 /BaseFont /Odd_1 >>", true, &[]),
        ("<< /Type /Font /Subtype /Strange /BaseFont /Odd >>", true, &[]),
        (
            "<< /Type /Font /Subtype /TrueType /BaseFont /Odd /FirstChar 32 /LastChar 255 /Widths [500 500] >>",
            true,
            &[],
        ),
        (
            "<< /Type /Font /Subtype /TrueType /BaseFont /Odd /FirstChar 32 /LastChar 33 /Widths [(a) 99 0 R null] >>",
            true,
            &[],
        ),
        ("<< /Type /Font /Subtype /Type1 /BaseFont /Odd /FontDescriptor 99 0 R >>", true, &[]),
        ("<< /Type /Font /Subtype /Type1 /BaseFont /Odd /FontDescriptor << /FontFile3 7 0 R >> >>", true, &[&program]),
        ("<< /Type /Font /Subtype /Type1 /BaseFont /Odd /FontDescriptor << /FontFile 99 0 R >> >>", true, &[]),
        ("<< /Type /Font /Subtype /Type1 /BaseFont /Odd /ToUnicode /Strange >>", true, &[]),
        ("<< /Type /Font /Subtype /Type1 /BaseFont /Odd /ToUnicode 99 0 R >>", true, &[]),
        ("<< /Type /Font /Subtype /Type1 /BaseFont /Odd /ToUnicode 7 0 R >>", true, &[&map]),
        (
            "<< /Type /Font /Subtype /Type3 /FontMatrix [.01 0 0 .01 0 0] /CharProcs << /A 7 0 R >> /Encoding << /Differences [65 /A] >> /FirstChar 65 /LastChar 65 /Widths [50] >>",
            true,
            &[&glyph],
        ),
        ("<< /Type /Font /Subtype /Type3 >>", true, &[]),
        (
            "<< /Type /Font /Subtype /Type0 /BaseFont /Odd /Encoding /Identity-H /DescendantFonts [7 0 R] >>",
            false,
            &["<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Odd >>"],
        ),
        ("<< /Type /Font /Subtype /Type0 /BaseFont /Odd /Encoding /Identity-H /ToUnicode 7 0 R >>", false, &[&map]),
        ("<< /Type /Font /Subtype /Type0 /BaseFont /Odd /Encoding /CNS-EUC-H >>", false, &[]),
        ("<< /Type /Font /Subtype /Type0 >>", false, &[]),
        ("<< /Type /Font /Subtype /Type0 /BaseFont /Odd /Encoding /NoSuchCMap /DescendantFonts 5 >>", false, &[]),
        ("null", true, &[]),
    ];
    for (font, read, objects) in cases {
        let objects: Vec<&str> = std::iter::once(font).chain(objects.iter().copied()).collect();
        let found = client.components(page(odd, "/F2 6 0 R", "", &objects)).await;
        assert_eq!((&found["Sponsor"][0], &found["StudyNumber"][0]), (&"Before".into(), &"AB-1".into()), "{font}");
        assert_eq!(found["Supplier"][0] == "Odd", read, "{font}: {found}");
        let remarks = remarks(&found);
        assert!(
            read || font.contains("ToUnicode 7") || remarks.contains("on page 1 could not be read"),
            "{font}: {remarks}"
        );
    }
}

#[tokio::test]
async fn odd_operator_loses_no_other_text() {
    let Some(client) = TestClient::vendored().await else { return };
    for odd in [
        "/NoFont 11 Tf",
        "BT 72 650 Td (without a font) Tj ET",
        "/F1 Tf",
        "(x) Tf",
        "1 0 0 cm",
        "/A /B Td Tj TJ Tm cm",
        "/NoSpace cs /NoSpace CS /Pattern cs /P scn",
        "/NoState gs",
        "/NoObject Do",
        "1 2 v 3 l h re",
        "sh (x) sh /NoShading sh",
        "Q Q Q ET ET EMC",
        "q q q",
        "strange operators { } ) ] > 1..2 --3",
        "(a text without an end",
        "[(a list without an end) 3",
        "<41",
        "<< /A [ (",
        "BI /W 2 /H 2 /BPC 8 /CS /G ID \x01((\x02 EI",
        "BI /W 2 /H 2 /BPC 8 /CS /NoSpace /F /Fl ID ((( EI",
        "BI /W 2 /H 2 ID (((",
        "% a comment ( [ <<",
    ] {
        let found = client.components(page(odd, "", "", &[])).await;
        assert_eq!(
            (&found["Sponsor"][0], &found["StudyNumber"][0]),
            (&"Before".into(), &"AB-1".into()),
            "{odd}: {found}"
        );
    }
}

#[tokio::test]
async fn reads_forms_in_place() {
    let Some(client) = TestClient::vendored().await else { return };
    // Inside the form the font name has another meaning. The form is placed beside its label, contains itself, and leaves its state open.
    let form = stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Matrix [1 0 0 1 150 650] /Resources << /Font << /F1 7 0 R >> /XObject << /X 6 0 R >> >>",
        "q q BT /F1 11 Tf 0 0 Td <00480065007200650021> Tj ET /X Do",
    );
    let font = "<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /UniGB-UCS2-H /DescendantFonts [8 0 R] >>";
    let descendant = "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Song /DW 1000 >>";
    let odd = "BT /F1 11 Tf 72 650 Td (Supplier:) Tj ET q /X Do Q";
    let found = client.components(page(odd, "", "/XObject << /X 6 0 R >>", &[&form, font, descendant])).await;
    assert_eq!((&found["Sponsor"][0], &found["StudyNumber"][0]), (&"Before".into(), &"AB-1".into()));
    assert_eq!(found["Supplier"][0], "Here!", "{found}");
}

#[tokio::test]
async fn odd_page_loses_no_other_page() {
    let Some(client) = TestClient::vendored().await else { return };
    let good = stream("", &format!("{BEFORE}{BEHIND}"));
    let broken = "<< /Length 9 /Filter /FlateDecode >>\nstream\nno deflat\nendstream";
    let unknown = "<< /Length 9 /Filter /NoSuchFilter >>\nstream\nunknown!.\nendstream";
    for odd in [
        "<< /Type /Page /Parent 2 0 R /Contents 6 0 R >>",
        "<< /Type /Page /Parent 2 0 R /Contents [6 0 R 7 0 R 99 0 R null 3] >>",
        "<< /Type /Page /Parent 2 0 R /Contents 99 0 R /Resources 99 0 R /MediaBox [(a) 1] /ArtBox [1] >>",
        "<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font 7 >> >>",
        "<< /Type /Page /Parent 99 0 R >>",
    ] {
        let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R >>";
        let objects = [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [8 0 R 3 0 R] /Count 2 >>",
            page,
            HELVETICA,
            &good,
            broken,
            unknown,
            odd,
        ];
        let found = client.components(raw_pdf(&objects)).await;
        assert_eq!(
            (&found["Sponsor"][0], &found["StudyNumber"][0]),
            (&"Before".into(), &"AB-1".into()),
            "{odd}: {found}"
        );
        assert_eq!(found["PageCount"][0], "2", "{odd}");
    }
}
