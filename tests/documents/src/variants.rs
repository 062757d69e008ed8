//! Small changes to a document, one function each.
//!
//! A variant does nothing if its element is missing, because other variants may have changed the document before. Variants never panic.

mod extras;
mod fields;
mod names;
mod refused;
mod schemas;
mod traffic;

use std::fmt;

use serde_json::Value;

pub use extras::*;
pub use fields::*;
pub use names::*;
pub use refused::*;
pub use schemas::*;
pub use traffic::*;

/// A change to a document.
#[derive(Clone, Copy)]
pub struct Variant {
    /// Name of the function.
    pub name: &'static str,
    /// Changes the document.
    pub apply: fn(&mut Value),
}

impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Makes a list of variants from the names of their functions.
macro_rules! variants {
    ($($name:ident),* $(,)?) => {
        &[$($crate::variants::Variant { name: stringify!($name), apply: $crate::variants::$name }),*]
    };
}
pub(crate) use variants;

/// Variants of documents that the build accepts.
#[rustfmt::skip]
pub const HARMLESS: &[Variant] = variants![
    all_operation_ids_renamed, no_operation_ids, operation_ids_swapped, schemas_renamed, path_parameters_renamed, api_prefix_replaced,
    server_path, snake_case_fields, snake_case_query, file_id_for_id, envelope_key_renamed, keyword_names, case_only_names, odd_names,
    breakout_names, yaml_words,
    inlined, wrapped_in_all_of, split_into_all_of, one_of_with_discriminator, any_of_with_null, formats_removed, nothing_required,
    everything_required, envelope_with_more_keys, ids_as_uuid, enum_supersets, enums_without_values, unknown_fields, without_optional_field,
    known_field_of_another_type, constraints_added, recursive_schemas, schema_in_odd_place, many_schemas, closed_objects,
    java_objects, contract_fields_in_other_case, openapi_3_1, package_as_object, multipart_file_class, keep_in_the_form, keep_in_a_header,
    patterns_in_paths,
    any_media_type, hal_media_type, several_media_types, vendor_request_type, tenant_header_declared, paging_parameters, pageable_object,
    problem_json_errors, errors_only, default_for_success, another_part_name, further_optional_part, list_of_files_in_the_form,
    success_200_for_204, success_2xx, without_xml, without_query_parameters, shared_by_reference, optional_header,
    extra_operations, odd_operations, callbacks_and_links, without_inferred_operations, without_license, another_download_path,
    breakout_texts, long_texts, deprecated_everywhere, extensions_everywhere,
];

/// Variants of documents that the build refuses.
#[rustfmt::skip]
pub const HARMFUL: &[Variant] = variants![
    without_get_file, required_query_parameter, required_header_parameter, required_body_field, required_second_part,
    download_state_without_ready, processed_missing, id_as_integer, id_missing, list_is_bare_array, status_as_object,
    upload_takes_json, components_of_fixed_fields, two_api_versions, two_files_in_the_form, file_reference, url_reference,
    dangling_reference, openapi_3_2, all_of_circle, models_in_models, reference_circle, too_deep, no_paths, no_title, required_deep_object,
    another_paging,
];
