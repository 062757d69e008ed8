//! Lists of files of any length.

use serde_json::{Value, json};

use crate::jobs::TEMPLATE;

/// Returns a list of files. Every tenth file was reviewed, every hundredth failed.
pub(super) fn list(count: usize) -> String {
    let files: Vec<_> = (0..count).map(|number| file(number, count)).collect();
    json!({ "files": files }).to_string()
}

/// Returns a file in the format of the simulator, with `null` for missing values.
pub(crate) fn file(number: usize, count: usize) -> Value {
    let reviewed = number.is_multiple_of(10);
    let failed = number % 100 == 99;
    let (minute, second) = (number / 60 % 60, number % 60);
    let ended = format!("2026-03-04T11:{minute:02}:{second:02}.250+00:00");
    json!({
        "added": format!("2026-03-04T10:{minute:02}:{second:02}.000+00:00"),
        "assignee": reviewed.then_some("0c5d7f9e-6f1b-4c58-8d3e-2a4b6c8d0e1f"),
        "dossierId": count.to_string(),
        "dossierTemplateId": TEMPLATE,
        "errorMessage": failed.then_some("The PDF is damaged: \"xref\" is missing"),
        "excluded": false,
        "fileAttributes": { "Language": "English", "Region": "EU" },
        "fileName": format!("study-report-{number}.pdf"),
        "fileSize": 100_000 + number * 37 % 900_000,
        "id": file_id(number),
        "lastProcessed": ended,
        "lastUpdated": ended,
        "numberOfPages": 1 + number % 40,
        "processingStatus": if failed { "ERROR" } else { "PROCESSED" },
        "softDeletedTime": null,
        "workflowStatus": if reviewed { "UNDER_REVIEW" } else { "NEW" },
    })
}

pub(crate) fn file_id(number: usize) -> String {
    format!("9a2f4c6e-7b1d-4830-a5e9-{number:012x}")
}
