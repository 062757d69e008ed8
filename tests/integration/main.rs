//! Integration tests against the simulator in simulated time, one file per behaviour.
//!
//! Each test uses its own simulator ([`harness::test_env`]), which checks every request and response against the document.
//! [`operation_coverage`] asserts that every operation of the document is tested.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]
// The structs of the tests are named after components of the template, some of which share a prefix.
#![allow(clippy::struct_field_names)]

mod harness;

mod auth_headers;
mod boundary_values;
mod cancellation;
mod client_authentication;
mod client_options;
mod components;
mod config_errors;
#[cfg(reconstruction)]
mod control_characters;
mod dossiers;
mod download_destinations;
mod download_integrity;
mod download_redirects;
mod download_resume;
mod download_size_limits;
mod download_version_changes;
mod dropped_futures;
mod error_predicates;
#[cfg(reconstruction)]
mod fault_table;
mod field_reports;
mod files;
#[cfg(unix)]
mod full_disk;
mod futures_are_send;
mod id_escaping;
mod identity_provider;
#[cfg(reconstruction)]
mod inferred_paths;
mod input_errors;
#[cfg(reconstruction)]
mod invalid_list_items;
mod license;
#[cfg(reconstruction)]
mod list_streaming;
mod login;
mod login_authorization_code;
mod login_device_code;
mod login_loopback;
mod logout;
mod lost_responses;
mod lost_upload_matching;
#[cfg(reconstruction)]
mod many_users;
mod model_round_trip;
#[cfg(reconstruction)]
mod nonstandard_responses;
mod oidc_discovery;
mod openid_nonce;
mod operation_coverage;
mod package_contents;
mod package_reports;
mod package_unpacking;
mod packages;
mod pagination;
#[cfg(reconstruction)]
mod pagination_links;
mod partial_download_files;
mod profiles;
mod provider_outage;
mod raw_client;
mod record_replay;
mod refresh_failures;
mod response_memory_limits;
mod response_tolerance;
mod resumable_downloads;
mod retry_after_bounds;
mod secret_redaction;
mod shared_polling;
mod simulator_kit;
mod stored_authorizations;
mod token_request_retry;
mod token_response_formats;
mod token_store;
#[cfg(unix)]
mod token_store_paths;
mod tracing_spans;
mod unsupported_operations;
mod upload_and_wait;
mod upload_rejections;
mod uploads;
#[cfg(has = "getUsers")]
mod users;
mod wait_deadlines;
mod wait_retry_after;
mod waits;
mod was_sent;
mod workbook_compatibility;
mod zip_validation;
