//! Edits of each pass on the reconstruction.
//!
//! A number may change with the document: check that the change is intended, then update the number. A number that changes with the generator or with a pass
//! is a finding.

use super::vendored;
use crate::code;

#[test]
fn each_pass_makes_the_known_number_of_edits() {
    let passed = super::built(&vendored()).unwrap_or_else(|findings| panic!("{findings:#?}"));
    assert_eq!(
        passed.counts,
        [
            ("invalid_members", 0),
            ("unused_parts", 72),
            ("schema_references", 0),
            ("bean_schemas", 0),
            ("inline_references", 203),
            ("transport_headers", 0),
            ("error_responses", 133),
            ("bodies", 1),
            ("compose", 0),
            ("schema_forms", 0),
            ("parameters", 0),
            ("accept", 22),
            ("media_types", 0),
            ("canonical_names", 50),
            ("safe_names", 0),
            ("alternative_formats", 2),
            ("success_responses", 22),
            ("optional_response_fields", 0),
            ("multipart", 1),
            ("descriptions", 0),
            ("deprecated", 0),
            ("constraints", 0),
            ("schema_defaults", 0),
            ("nullable", 2),
            ("ids", 67),
            ("open_enums", 5),
            ("timestamps", 23),
            ("request_lists", 8),
            ("unknown_fields", 24),
            ("operation_names", 24),
        ]
    );
}

#[test]
fn each_code_pass_makes_the_known_number_of_changes() {
    let passed = super::built(&vendored()).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let generated = code::generate(&passed.document).unwrap_or_else(|reasons| panic!("{reasons:#?}"));
    assert_eq!(
        generated.counts,
        [
            ("client_constructor", 2),
            ("multipart_form", 3),
            ("plain_requests", 66),
            ("prepared_requests", 24),
            ("rare_methods", 0),
            ("type_builders", 38),
            ("boxed_options", 0),
            ("wire_names", 0),
            ("derive_default", 17),
            ("lenient_scalars", 50),
            ("null_as_default", 30),
            ("non_exhaustive", 24),
            ("derive_schema", 24),
            ("doc_fences", 24),
            ("doc_comments", 0),
        ]
    );
}
