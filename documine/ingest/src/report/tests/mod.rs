#![allow(clippy::unwrap_used, clippy::panic)]

mod sample;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Report, WrittenReport, link, units};
use crate::document::{DocumentRecord, Failure, Step};
use crate::journal::{JournalReader, fixture};
use crate::{ErrorKind, text};

/// Writes the report of these documents and returns the page.
fn page_of(documents: &[DocumentRecord]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fixture::write(&folder.path().join("run.sqlite"), documents);
    write(folder.path(), |report| report).0
}

fn write(folder: &Path, set: impl FnOnce(Report<'_>) -> Report<'_>) -> (String, WrittenReport) {
    let journal = JournalReader::open(folder.join("run.sqlite")).unwrap();
    let path = folder.join("report.html");
    let written = set(Report::new(&journal)).write(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), written.bytes);
    (std::fs::read_to_string(&path).unwrap(), written)
}

/// Returns the data of the table.
fn data(page: &str) -> Value {
    let (_, tail) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(tail.split_once("</script>").unwrap().0).unwrap()
}

/// Returns the page without the script, the style and the data.
fn body(page: &str) -> String {
    let start = page.find("<body").unwrap();
    page[start..page.find("<script type=").unwrap()].to_owned()
}

fn component(name: &str, texts: &[&str]) -> Value {
    json!({"components": {name: texts}})
}

fn numbered(name: &str, texts: impl IntoIterator<Item = String>) -> Vec<DocumentRecord> {
    let number =
        |(index, text): (usize, String)| fixture::succeeded(&format!("{index:03}.pdf"), component(name, &[&text]));
    texts.into_iter().enumerate().map(number).collect()
}

/// Checks that all elements are closed in order, and that attributes are quoted.
pub(crate) fn assert_well_formed(page: &str) {
    const VOID: [&str; 2] = ["meta", "input"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").unwrap();
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let mut is_quoted = false;
        let end = rest
            .find(|c| {
                is_quoted ^= c == '"';
                c == '>' && !is_quoted
            })
            .unwrap();
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "before {}", &rest[..rest.len().min(80)]);
            continue;
        }
        let name = tag.split_whitespace().next().unwrap();
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{tag}");
        let unquoted: String = tag.split('"').step_by(2).collect();
        assert!(!unquoted.contains(['<', '\'', '&']), "{tag}");
        if !VOID.contains(&name) && !tag.ends_with('/') {
            open.push(name);
        }
        if name == "script" || name == "style" {
            rest = &rest[rest.find(&format!("</{name}>")).unwrap()..];
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn hostile_values_stay_text() {
    let texts = sample::HOSTILE;
    let named = |prefix: &str, text: &str, base: DocumentRecord| DocumentRecord {
        source: format!("{prefix}{text}"),
        file_id: Some(text.to_owned()),
        file_name: format!("{prefix}{text}"),
        ..base
    };
    let mut documents = Vec::new();
    for text in texts {
        let values = json!({"components": {text: [text, text]}});
        documents.push(named("a", text, fixture::succeeded("x", values)));
        documents.push(named("b", text, fixture::failed("x", Failure::new(Step::Wait, text, text))));
    }
    // A component of numbers with hostile suspicious values.
    documents.extend((0..40).map(|index| {
        let text = if index % 8 == 0 { texts[index / 8].to_owned() } else { index.to_string() };
        fixture::succeeded(&format!("c{index}"), component("number", &[&text]))
    }));
    let folder = tempfile::tempdir().unwrap();
    fixture::write(&folder.path().join("run.sqlite"), &documents);
    let (page, _) = write(folder.path(), |report| report.title(texts[0]));

    assert_well_formed(&page);
    assert_eq!(page.matches("</script>").count(), 2, "the data and the code");
    assert_eq!(page.matches("<img").count(), 0);
    let raw = page.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0;
    assert!(!raw.contains(['<', '>', '&']), "the data has characters of HTML");
    assert!(!body(&page).contains("2469134"), "a value was evaluated as a template");
    assert!(!page.contains("href=\"javascript"));
    let rows = data(&page);
    for text in texts {
        let first =
            rows["documents"].as_array().unwrap().iter().find(|document| document[0] == format!("a{text}")).unwrap();
        assert_eq!(first[1], Value::Null, "only absolute paths and web addresses are links");
        assert_eq!(first[3][0][4], text);
    }
}

#[test]
fn shows_an_empty_journal() {
    let page = page_of(&[]);
    assert_well_formed(&page);
    assert!(page.contains("The journal lists no documents"));
    assert_eq!(
        data(&page),
        json!({"documents": [], "components": [], "rules": [], "statuses": ["succeeded", "failed", "not finished"], "texts": ["Value"]})
    );
}

#[test]
fn groups_failures_by_reason_and_step() {
    let failure = |step, reason, cause: &str| Failure::new(step, reason, cause);
    let mut documents: Vec<_> = (0..120)
        .map(|index| {
            fixture::failed(&format!("s{index:03}"), failure(Step::Wait, "stalled", "no progress").retryable(true))
        })
        .collect();
    documents.push(fixture::failed("r1", failure(Step::Upload, "rejected", "not a PDF")));
    documents.push(fixture::failed("r2", failure(Step::Wait, "rejected", "not now")));
    let page = page_of(&documents);
    assert_well_formed(&page);
    let body = body(&page);
    assert!(body.contains("None of 122 documents succeeded"));
    let groups: Vec<_> =
        body.split("<summary>").skip(1).map(|group| group.split("</summary>").next().unwrap()).collect();
    assert_eq!(groups.len(), 3);
    assert!(
        groups[0].contains("120") && groups[0].contains("stalled") && groups[0].contains("makes sense for all"),
        "{}",
        groups[0]
    );
    assert!(groups[1].contains("step upload") && groups[2].contains("step wait"));
    assert!(body.contains("and 20 more"), "a group lists 100 files");
    assert!(body.contains("s099") && !body.contains("s100"));
    // The table has the causes, too.
    assert_eq!(data(&page)["documents"][0][3], json!([[1, 0, 0, 0, "upload: not a PDF"]]));
}

#[test]
fn counts_documents_values_and_distinct_values_of_components() {
    let mut documents: Vec<_> = (0..8)
        .map(|index| {
            fixture::succeeded(
                &format!("{index}"),
                component("Species", &["Rat", if index < 2 { "Mouse" } else { "Rat" }]),
            )
        })
        .collect();
    documents.push(fixture::succeeded("8", component("Species", &[])));
    let body = body(&page_of(&documents));
    let row = body.split("data-component=\"Species\"").nth(1).unwrap().split("</tr>").next().unwrap();
    for cell in ["<span>88 %</span>", "\"number\">8<", "\"number\">16<", "\"number\">2<", "× 14", "× 2<", "texts"] {
        assert!(row.contains(cell), "{cell} in {row}");
    }
}

#[test]
fn finds_values_that_differ_from_the_rest() {
    let dates = |index: usize| format!("{:02} March 2025", index % 28 + 1);
    let cases: [(&str, Vec<String>); 6] = [
        (
            "1 × not a date",
            (0..30).map(|index| if index == 5 { "see page 1".to_owned() } else { dates(index) }).collect(),
        ),
        (
            "1 × date far out",
            (0..30).map(|index| if index == 5 { "2205-03-01".to_owned() } else { dates(index) }).collect(),
        ),
        (
            "1 × not a number",
            (0..30).map(|index| if index == 5 { "n/a".to_owned() } else { index.to_string() }).collect(),
        ),
        (
            "1 × number far out",
            (0..30)
                .map(|index| if index == 5 { "EUR 900.000,00".to_owned() } else { format!("{} €", 100 + index) })
                .collect(),
        ),
        (
            "1 × length far out",
            (0..30).map(|index| if index == 5 { "word ".repeat(60) } else { format!("word {index}") }).collect(),
        ),
        ("1 × blank", (0..30).map(|index| if index == 5 { " \t".to_owned() } else { "text".to_owned() }).collect()),
    ];
    for (expected, texts) in cases {
        let body = body(&page_of(&numbered("it", texts)));
        assert_eq!(body.matches("class=\"suspicion\"").count(), 1, "{expected}");
        let suspicion = body.split("class=\"suspicion\"").nth(1).unwrap().split("</details>").next().unwrap();
        assert!(suspicion.contains(expected), "{expected}: {suspicion}");
        assert!(suspicion.contains("005.pdf"), "{expected}: {suspicion}");
    }
}

#[test]
fn does_not_suspect_amounts_of_several_orders_of_magnitude() {
    // 10, 12.6, 15.8 … 100,000
    let amounts = (0..41).map(|index| format!("{:.2}", 10_f64.powf(1.0 + f64::from(index) / 10.0)));
    assert!(!page_of(&numbered("amount", amounts)).contains("class=\"suspicion\""));
    let equal = (0..40).map(|_| "7".to_owned());
    assert!(!page_of(&numbered("constant", equal)).contains("class=\"suspicion\""));
}

#[test]
fn links_absolute_paths_and_web_addresses_with_their_page() {
    assert_eq!(link::href("/in box/ä&\"<#?%.pdf").as_deref(), Some("file:///in%20box/%C3%A4%26%22%3C%23%3F%25.pdf"));
    assert_eq!(link::href("C:\\in\\a b.pdf").as_deref(), Some("file:///C:/in/a%20b.pdf"));
    assert_eq!(link::href("https://h.example/a b?c=\"d\"").as_deref(), Some("https://h.example/a%20b?c=%22d%22"));
    for other in ["inbox/a.pdf", "javascript:alert(1)", "data:text/html,x", "s3://bucket/key", "", "C:", "file:///x"] {
        assert_eq!(link::href(other), None, "{other}");
    }
    assert_eq!(link::with_page("file:///a.pdf", Some(3)), "file:///a.pdf#page=3");
    assert_eq!(link::with_page("https://h.example/a#b", Some(3)), "https://h.example/a#b");
}

#[test]
fn the_same_journal_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    sample::write(&folder.path().join("run.sqlite"), 300);
    let (first, written) = write(folder.path(), |report| report.title("x"));
    assert_eq!((written.documents, written.listed_documents), (300, 300));
    assert_eq!(first, write(folder.path(), |report| report.title("x")).0);
    assert_well_formed(&first);
    assert!(first.contains("documents succeeded") && first.contains("the pause between 2 runs is left out"));
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files.len(), 2, "no temporary file is left: {files:?}");
}

#[test]
fn requests_nothing_from_other_places() {
    let folder = tempfile::tempdir().unwrap();
    sample::write(&folder.path().join("run.sqlite"), 50);
    let (page, _) = write(folder.path(), |report| report);
    let head = &page[..page.find("<style>").unwrap()];
    assert!(head.contains("default-src 'none'; script-src 'sha256-") && !page.contains("unsafe-inline"));
    for attribute in ["src=", "@import", "url(", "<link", "<iframe", "http-equiv=\"refresh\"", " style=", " onclick"] {
        assert!(!page.contains(attribute), "{attribute}");
    }
}

#[test]
fn leaves_documents_beyond_the_limit_out_of_the_table_only() {
    let folder = tempfile::tempdir().unwrap();
    sample::write(&folder.path().join("run.sqlite"), 120);
    let (page, written) = write(folder.path(), |report| report.max_table_bytes(20_000));
    assert_eq!(written.documents, 120);
    assert!((10..110).contains(&written.listed_documents), "{written:?}");
    assert_eq!(data(&page)["documents"].as_array().unwrap().len() as u64, written.listed_documents);
    assert!(page.contains(&format!("the first {} of 120 documents", written.listed_documents)));
    assert!(page.len() < 150_000);
}

#[test]
fn rejects_paths_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    for (path, message) in [
        (folder.path().to_owned(), "the path is a folder; state the name of a file"),
        (folder.path().join("no/r.html"), "; create the folder first"),
    ] {
        let error = Report::check(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Sink);
        let text = error.to_string();
        assert!(text.starts_with(&path.display().to_string()) && text.ends_with(message), "{text}");
    }
    Report::check(folder.path().join("r.html")).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn states_counts_durations_and_shares() {
    assert_eq!([0, 999, 1000, 1_234_567].map(text::count), ["0", "999", "1,000", "1,234,567"]);
    let durations = [850, 1250, 12_345, 200_000, 3_600_000, 7_500_000, 180_000_000].map(units::duration);
    assert_eq!(durations, ["850 ms", "1.2 s", "12 s", "3 min 20 s", "1 h", "2 h 5 min", "2 d 2 h"]);
    let shares = [(0, 0), (0, 9), (1, 5000), (1, 30), (2, 3), (9999, 10_000), (3, 3)]
        .map(|(part, whole)| units::percent(part, whole));
    assert_eq!(shares, ["–", "0 %", "< 0.1 %", "3.3 %", "66 %", "99.9 %", "100 %"]);
}

/// With the folder `DOCUMINE_REPORT_FOLDER`, writes there the report of 10,000 documents that `cargo xtask conformance browser` opens.
#[test]
fn writes_reports_of_many_documents() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, count) = match std::env::var_os("DOCUMINE_REPORT_FOLDER") {
        Some(folder) => (PathBuf::from(folder), 10_000),
        None => (temporary.path().to_owned(), 800),
    };
    let path = folder.join("report.sqlite");
    sample::write(&path, count);
    let journal = JournalReader::open(&path).unwrap();
    let begin = std::time::Instant::now();
    let written = Report::new(&journal).title("Toxicity studies").write(folder.join("report.html")).unwrap();
    println!("{} documents, {} bytes, {:?}", written.documents, written.bytes, begin.elapsed());
    assert_eq!(written.listed_documents, count as u64);
    assert!(written.bytes < 20_000_000);
}
