//! Journals that resemble those of real runs.

use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::document::{DocumentRecord, DocumentState, Failure, Step};
use crate::journal::fixture;

/// 2026-03-02 08:00 UTC.
const START: i64 = 1_772_438_400_000;
const HOUR: i64 = 3_600_000;

/// Values that would break out of a careless page.
pub(super) const HOSTILE: [&str; 8] = [
    "</script><script>document.title = 'broken'</script>",
    "<img src=x onerror=\"document.title = 'broken'\">",
    "<!--<script>",
    "<!--data-->",
    "\"'`&amp;{{ 1234567 * 2 }}{% raw %}",
    "\u{202e}gpj.exe\u{2028}\u{0}\u{7f}",
    "javascript:document.title='broken'",
    "=cmd|' /C calc'!A0",
];

/// Writes a journal of `count` documents of toxicity studies with 10 values each: 3 % failed, a few not finished, some values that a reader should see.
pub(super) fn write(path: &Path, count: usize) {
    let mut random = fastrand::Rng::with_seed(7);
    let documents: Vec<_> = (0..count).map(|index| document(index, count, &mut random)).collect();
    fixture::write(path, &documents);
    // Two runs with a night between them; the first was killed.
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(&format!(
            "UPDATE run SET started_at = {START}, ended_at = NULL, outcome = NULL, uploads = {0}, requests = {1};
             INSERT INTO run (id, started_at, ended_at, outcome, uploads, requests) VALUES (2, {2}, {3}, 'some', {0}, {1});
             INSERT OR REPLACE INTO setting VALUES ('dossier_template_id', 'toxicity-studies'), ('workspace', 'acme'),
                ('base_url', 'https://documine.example');",
            count / 2,
            count * 3 / 5,
            START + 14 * HOUR,
            START + 14 * HOUR + HOUR / 2,
        ))
        .unwrap();
}

fn document(index: usize, count: usize, random: &mut fastrand::Rng) -> DocumentRecord {
    let source = format!("/data/inbox/2026-{:02}/study {index:05}.pdf", index % 12 + 1);
    let mut record = match index % 97 {
        13 => failed(&source, index),
        _ => fixture::succeeded(&source, values(index, random)),
    };
    record.sha256 = Some(format!("{index:064x}"));
    record.file_id = Some(format!("{:08x}-6f4e-4b8a-9d1c-{index:012x}", random.u32(..)));
    record.pages = record.pages.map(|_| random.u32(4..60));
    // Half of the documents in each run; documents enter one after the other, with some variation.
    let half = count.div_ceil(2);
    let (run, place) = (index / half, i64::try_from(index % half).unwrap());
    let begin = START + i64::try_from(run).unwrap() * 14 * HOUR + place * 1_400_000 / i64::try_from(half).unwrap();
    let upload = 300 + random.i64(0..900) + if random.u8(..) < 12 { random.i64(0..6000) } else { 0 };
    let analysis =
        9000 + random.i64(0..9000) + random.i64(0..9000) + if random.u8(..) < 8 { random.i64(0..90_000) } else { 0 };
    record.times = crate::Times {
        listed: Some(START),
        upload_started: Some(begin),
        uploaded: Some(begin + upload),
        processed: (record.state == DocumentState::Succeeded).then_some(begin + upload + analysis),
        ended: Some(begin + upload + analysis + 200),
    };
    if index + 3 >= count && count > 100 {
        let base = DocumentRecord { components: None, failure: None, pages: None, file_id: None, ..record };
        return DocumentRecord { state: DocumentState::Open, times: crate::Times::default(), ..base };
    }
    record
}

fn failed(source: &str, index: usize) -> DocumentRecord {
    let failure = match index % 4 {
        0 => Failure::new(
            Step::Wait,
            "stalled",
            "the analysis has made no progress for 600 s; last state: OCR_PROCESSING",
        )
        .retryable(true),
        1 => Failure::new(Step::Upload, "rejected", "upload: the service rejected the file: HTTP 400: not a PDF"),
        _ => Failure::new(
            Step::Wait,
            "analysis_failed",
            format!("the analysis ended with ERROR: page {} has no text", index % 9 + 1),
        ),
    };
    fixture::failed(source, failure)
}

fn values(index: usize, random: &mut fastrand::Rng) -> Value {
    let date = match index % 211 {
        7 => "see cover page".to_owned(),
        90 => "2062-01-15".to_owned(),
        _ => format!(
            "{:02} {} 2025",
            random.u8(1..=28),
            ["January", "March", "May", "July", "September"][random.usize(..5)]
        ),
    };
    let dose = match index % 307 {
        5 => "250000".to_owned(),
        6 => "n/a".to_owned(),
        _ => format!("{}", 50 * random.u32(4..60)),
    };
    let title = match index % 400 {
        10 => "Acute oral toxicity ".repeat(30),
        11 => HOSTILE[index / 400 % HOSTILE.len()].to_owned(),
        _ => format!(
            "Acute Oral Toxicity Study of SG-{} in Rats (OECD {})",
            random.u32(100..9999),
            random.choice(["423", "425", "420"]).unwrap()
        ),
    };
    let species = random.choice(["Rat", "Rat", "Rat", "Mouse", "Rabbit"]).unwrap();
    let mut listed = vec![
        ("Study_Title", vec![title]),
        ("Test_Guideline", vec![format!("OECD {}", random.choice(["423", "425", "420"]).unwrap())]),
        ("Study_Completion_Date", vec![date]),
        ("Species", vec![species.to_owned()]),
        (
            "Strain",
            if index.is_multiple_of(9) {
                vec![]
            } else {
                vec![random.choice(["Wistar", "Sprague-Dawley", "CD-1"]).unwrap().to_owned()]
            },
        ),
        ("Number_of_Animals", vec![random.u32(3..40).to_string()]),
        ("LD50_mg_per_kg", vec![dose]),
        ("GLP_Compliance", vec![random.choice(["yes", "yes", "yes", "no"]).unwrap().to_owned()]),
        ("Batch_Number", (0..=index % 2).map(|batch| format!("B{:05}-{batch}", random.u32(..99_999))).collect()),
        (
            "Conclusion",
            if index.is_multiple_of(3) {
                vec![]
            } else {
                vec![format!("The LD50 of the test item in {}s exceeds the limit dose.", species.to_lowercase())]
            },
        ),
    ];
    if index.is_multiple_of(50) {
        listed.push(("Deviations", vec![String::from(" ")]));
    }
    let details = |(name, texts): &(&str, Vec<String>)| {
        let one = |(place, text): (usize, &String)| json!({"value": text, "componentRuleId": format!("{name}.{}", place % 3), "entityReferences": [{"page": index % 20 + place + 1}]});
        ((*name).to_owned(), json!({"values": texts.iter().enumerate().map(one).collect::<Vec<_>>()}))
    };
    let components: serde_json::Map<_, _> =
        listed.iter().map(|(name, texts)| ((*name).to_owned(), json!(texts))).collect();
    json!({"components": components, "componentDetails": listed.iter().map(details).collect::<serde_json::Map<_, _>>()})
}
