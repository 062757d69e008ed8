#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

use serde_json::{Value, json};

use super::{ChangeKind, ComponentCounts, Difference, DifferenceCounts, Presence};
use crate::document::{DocumentRecord, DocumentState, Failure, Step};
use crate::journal::{JournalReader, fixture};

fn journals(before: &[DocumentRecord], after: &[DocumentRecord]) -> (tempfile::TempDir, JournalReader, JournalReader) {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str, documents: &[DocumentRecord]| {
        let path = folder.path().join(name);
        fixture::write(&path, documents);
        JournalReader::open(path).unwrap()
    };
    let (before, after) = (open("before.sqlite", before), open("after.sqlite", after));
    (folder, before, after)
}

fn compare(before: &[DocumentRecord], after: &[DocumentRecord]) -> Difference {
    let (_folder, before, after) = journals(before, after);
    Difference::between(&before, &after).unwrap()
}

/// Creates a document whose content is `content`.
fn document(source: &str, content: &str, components: Value) -> DocumentRecord {
    DocumentRecord {
        sha256: Some(format!("{content:0>64}")),
        ..fixture::succeeded(source, json!({"components": components}))
    }
}

fn text(difference: &Difference) -> String {
    let mut text = Vec::new();
    difference.to_text(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn reports_added_lost_and_changed_values_with_page_and_rule() {
    let detail = |value: &str, page: u32, rule: &str| json!({"value": value, "componentRuleId": rule, "entityReferences": [{"page": page}]});
    let before = fixture::succeeded(
        "a.pdf",
        json!({"components": {"Date": ["2024-01-02"], "Number": ["A", "B"], "Same": ["x"], "Total": []},
            "componentDetails": {"Date": {"values": [detail("2024-01-02", 4, "D.1")]}}}),
    );
    let after = fixture::succeeded(
        "a.pdf",
        json!({"components": {"Number": ["A", "C"], "Same": ["x"], "Total": ["12.50"]},
            "componentDetails": {"Total": {"values": [detail("12.50", 3, "T.2")]}, "Same": {"values": [detail("x", 9, "S.9")]}}}),
    );
    let difference = compare(&[before], &[after]);
    assert!(difference.has_differences());
    let changes = &difference.documents[0].components;
    let kinds: Vec<_> = changes.iter().map(|change| (change.component.as_str(), change.kind)).collect();
    assert_eq!(kinds, [("Number", ChangeKind::Changed), ("Total", ChangeKind::Added), ("Date", ChangeKind::Lost)]);
    assert_eq!((changes[1].after[0].page, changes[1].after[0].rule.as_deref()), (Some(3), Some("T.2")));
    assert_eq!((changes[2].before[0].page, changes[2].after.len()), (Some(4), 0));
    let text = text(&difference);
    for line in [
        "1 compared: 1 different (1 other values, 0 other outcomes, 0 other contents), 0 moved; 0 only before, 0 only after",
        "    ~ Number: \"A\", \"B\" → \"A\", \"C\"",
        "    + Total: \"12.50\" (page 3, rule T.2)",
        "    - Date: \"2024-01-02\" (page 4, rule D.1)",
    ] {
        assert!(text.lines().any(|other| other == line), "{line:?} in\n{text}");
    }
}

#[test]
fn ignores_ids_times_pages_and_rules() {
    let one = |page: u32, rule: &str| {
        fixture::succeeded(
            "a.pdf",
            json!({"components": {"Date": ["1"]}, "componentDetails": {"Date": {"values": [{"value": "1", "componentRuleId": rule, "entityReferences": [{"page": page}]}]}}}),
        )
    };
    let mut after = one(2, "B");
    after.file_id = Some("other".to_owned());
    after.dossier_id = Some("d-2".to_owned());
    after.analysed_at = Some("2030-01-01T00:00:00Z".to_owned());
    after.times = crate::Times::default();
    let difference = compare(&[one(1, "A")], &[after]);
    assert!(!difference.has_differences());
    assert_eq!(difference.counts, DifferenceCounts { compared: 1, ..DifferenceCounts::default() });
    assert!(difference.documents.is_empty());
}

#[test]
fn counts_the_documents_of_each_component() {
    let many = |values: &[(&str, &[&str])]| -> Vec<_> {
        values.iter().map(|(source, texts)| document(source, source, json!({"X": texts}))).collect()
    };
    let before = many(&[("a", &["1"]), ("b", &["1"]), ("c", &[]), ("d", &["1"]), ("e", &[]), ("f", &["1"])]);
    let after = many(&[("a", &["2"]), ("b", &[]), ("c", &["1"]), ("d", &["1"]), ("e", &[]), ("f", &["1", "1"])]);
    let difference = compare(&before, &after);
    let expected = ComponentCounts { component: "X".to_owned(), added: 1, lost: 1, changed: 2, equal: 2 };
    assert_eq!(difference.components, [expected]);
    assert_eq!(difference.counts.values_changed, 4);
    assert!(
        text(&difference).contains("\nX                  1          1          2          2\n"),
        "{}",
        text(&difference)
    );
}

#[test]
fn reports_other_outcomes_without_counting_values_as_lost() {
    let failure = Failure::new(Step::Wait, "stalled", "no progress for 600 s");
    let one = document("a.pdf", "a", json!({"X": ["1"]}));
    let failed = DocumentRecord { sha256: one.sha256.clone(), ..fixture::failed("a.pdf", failure.clone()) };
    for (before, after) in [(one.clone(), failed.clone()), (failed.clone(), one)] {
        let difference = compare(std::slice::from_ref(&before), std::slice::from_ref(&after));
        let outcome = difference.documents[0].outcome.as_ref().unwrap();
        assert_eq!((outcome.before, outcome.after), (before.state, after.state));
        assert_eq!(outcome.failure.as_ref(), Some(&failure));
        assert_eq!((difference.counts.outcome_changed, difference.counts.values_changed), (1, 0));
        assert!(difference.has_differences() && difference.components.is_empty());
    }
    // Two failures with different causes are equal.
    let other = DocumentRecord { failure: Some(Failure::new(Step::Upload, "rejected", "x")), ..failed.clone() };
    assert!(!compare(std::slice::from_ref(&failed), &[other]).has_differences());
    let open = DocumentRecord { state: DocumentState::Open, failure: None, ..failed.clone() };
    assert!(text(&compare(&[failed], &[open])).contains("    ! failed → open (wait: no progress for 600 s)"));
}

#[test]
fn reports_other_contents_and_documents_of_one_journal() {
    let before = [document("a", "1", json!({})), document("b", "2", json!({})), document("d", "4", json!({}))];
    let after = [document("b", "3", json!({})), document("c", "5", json!({}))];
    let difference = compare(&before, &after);
    let listed: Vec<_> =
        difference.documents.iter().map(|document| (document.source.as_str(), document.presence)).collect();
    assert_eq!(
        listed,
        [("a", Presence::OnlyBefore), ("b", Presence::Both), ("c", Presence::OnlyAfter), ("d", Presence::OnlyBefore)]
    );
    assert!(difference.documents[1].content.is_some());
    let counts = DifferenceCounts {
        compared: 1,
        different: 1,
        only_before: 2,
        only_after: 1,
        content_changed: 1,
        ..DifferenceCounts::default()
    };
    assert_eq!(difference.counts, counts);
    assert!(difference.has_differences());
}

#[test]
fn matches_moved_documents_by_their_content() {
    let before = [
        document("in/a", "1", json!({"X": ["1"]})),
        document("in/b", "2", json!({"X": ["1"]})),
        document("in/c", "2", json!({"X": ["3"]})),
    ];
    let after = [
        document("done/a", "1", json!({"X": ["1"]})),
        document("done/b", "2", json!({"X": ["2"]})),
        document("done/c", "2", json!({"X": ["3"]})),
        document("done/d", "2", json!({})),
    ];
    let difference = compare(&before, &after);
    assert_eq!(
        (
            difference.counts.compared,
            difference.counts.moved,
            difference.counts.only_before,
            difference.counts.only_after
        ),
        (3, 3, 0, 1)
    );
    let listed: Vec<_> = difference
        .documents
        .iter()
        .map(|document| (document.source.as_str(), document.moved_from.as_deref()))
        .collect();
    assert_eq!(listed, [("done/b", Some("in/b")), ("done/d", None)]);
    // A move alone is no difference.
    assert!(!compare(&before[..1], &after[..1]).has_differences());
}

#[test]
fn compares_journals_of_several_batches_and_limits_the_list() {
    let many = |last: &str| -> Vec<_> {
        (0..700)
            .map(|index| {
                document(
                    &format!("{index:04}"),
                    &index.to_string(),
                    json!({"X": [if index % 2 == 0 { "1" } else { last }]}),
                )
            })
            .collect()
    };
    let (_folder, before, after) = journals(&many("1"), &many("2"));
    let difference = Difference::between_with_limit(&before, &after, 100).unwrap();
    assert_eq!((difference.counts.compared, difference.counts.different), (700, 350));
    assert_eq!((difference.documents.len(), difference.documents_left_out), (100, 250));
    assert_eq!((difference.components[0].changed, difference.components[0].equal), (350, 350));
    assert!(text(&difference).ends_with("\n250 more documents differ\n"));
}

#[test]
fn the_json_form_reads_back_and_is_the_same_each_time() {
    let before = [document("a", "1", json!({"X": ["1"]})), document("b", "2", json!({}))];
    let after = [document("a", "3", json!({"X": ["2"]}))];
    let (_folder, before, after) = journals(&before, &after);
    let json = |difference: &Difference| {
        let mut json = Vec::new();
        difference.to_json(&mut json).unwrap();
        json
    };
    let difference = Difference::between(&before, &after).unwrap();
    let first = json(&difference);
    assert_eq!(first, json(&Difference::between(&before, &after).unwrap()));
    let read: Difference = serde_json::from_slice(&first).unwrap();
    assert_eq!(json(&read), first);
    let value: Value = serde_json::from_slice(&first).unwrap();
    assert_eq!(value["version"], 1);
    assert_eq!(
        value["documents"][0]["components"][0],
        json!({"component": "X", "kind": "changed", "before": [{"value": "1"}], "after": [{"value": "2"}]})
    );
}

#[test]
fn text_has_no_control_characters_of_values() {
    let hostile = "\u{1b}[2J\r\u{202e}\u{7}";
    let named =
        |value: &str| DocumentRecord { source: hostile.to_owned(), ..document("a", "1", json!({hostile: [value]})) };
    let text = text(&compare(&[named(hostile)], &[named("x")]));
    assert!(!text.contains(|c: char| c != '\n' && (c.is_control() || c == '\u{202e}')), "{text:?}");
    assert!(text.contains("\\u{1b}[2J"));
}

#[test]
fn equal_and_empty_journals_have_no_differences() {
    assert!(!compare(&[], &[]).has_differences());
    let one = [document("a", "1", json!({"X": ["1"]}))];
    assert!(text(&compare(&one, &one)).contains("1 compared: 0 different"));
}

#[cfg(feature = "report")]
#[test]
fn the_page_is_well_formed_and_keeps_hostile_values_as_text() {
    let hostile = "</script><script>alert(1)</script><!--data--><img src=x>";
    let before = [document(hostile, "1", json!({hostile: [hostile, "a"]})), document("b", "2", json!({}))];
    let failed = fixture::failed("b", Failure::new(Step::Wait, hostile, hostile));
    let after = [document(hostile, "1", json!({hostile: ["x"]})), failed, document("/c", "3", json!({}))];
    for (before, after, sentence) in
        [(&before[..], &after[..], "3 of 3 documents differ"), (&before[..1], &before[..1], "No differences<")]
    {
        let mut page = Vec::new();
        compare(before, after).to_html(&mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        crate::report::assert_well_formed(&page);
        assert!(page.contains(sentence));
        assert!(!page.contains("<img") && page.matches("</script>").count() == 2);
    }
}
