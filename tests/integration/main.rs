//! What users of the SDK live through, one file a story, all against the simulator and in simulated time.
//!
//! [`world`] holds the stage: each test gets a simulator of its own, and when it ends every request and every answer of it has been held
//! against the vendored document. [`coverage`] asks the machine whether every operation of the document occurs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]
// The structs of the stories have the names of the template's components, some of which begin alike.
#![allow(clippy::struct_field_names)]

mod harness;
#[path = "../../documine/src/properties.rs"]
mod properties;

mod response_memory_limits;
mod input_errors;
mod config_errors;
mod retry_after_bounds;
mod secret_redaction;
mod cancellation;
mod client_authentication;
mod field_reports;
mod components;
mod operation_coverage;
mod oidc_discovery;
mod dossiers;
mod download_size_limits;
mod download_version_changes;
mod download_resume;
mod dropped_futures;
#[cfg(reconstruction)]
mod fault_table;
mod files;
#[cfg(unix)]
mod full_disk;
mod futures_are_send;
#[cfg(reconstruction)]
mod control_characters;
mod id_escaping;
mod identity_provider;
#[cfg(reconstruction)]
mod inferred_paths;
mod package_contents;
mod license;
mod boundary_values;
#[cfg(reconstruction)]
mod pagination_links;
mod login;
mod login_authorization_code;
mod login_device_code;
mod login_loopback;
mod wait_deadlines;
mod lost_responses;
mod lost_upload_matching;
#[cfg(reconstruction)]
mod invalid_list_items;
mod openid_nonce;
mod packages;
mod pagination;
mod partial_download_files;
mod wait_retry_after;
mod error_predicates;
mod profiles;
mod token_response_formats;
mod provider_outage;
mod raw_client;
mod download_redirects;
mod refresh_failures;
#[cfg(reconstruction)]
mod model_round_trip;
mod tracing_spans;
#[cfg(unix)]
mod token_store_paths;
mod token_store;
#[cfg(reconstruction)]
mod list_streaming;
mod suggested_names;
mod auth_headers;
mod token_request_retry;
mod response_tolerance;
#[cfg(reconstruction)]
mod nonstandard_responses;
mod unsupported_operations;
mod upload_and_wait;
mod upload_rejections;
mod uploads;
#[cfg(has = "getUsers")]
mod users;
mod waits;
mod shared_polling;
mod was_sent;
mod workbook_compatibility;
