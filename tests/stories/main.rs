//! What users of the SDK live through, one file a story, all against the simulator and in simulated time.
//!
//! [`world`] holds the stage: each test gets a simulator of its own, and when it ends every request and every answer of it has been held
//! against the vendored document. [`coverage`] asks the machine whether every operation of the document occurs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]
// The structs of the stories have the names of the template's components, some of which begin alike.
#![allow(clippy::struct_field_names)]

#[cfg(unix)]
mod alone;
mod archives;
mod canned;
mod paper;
#[path = "../../documine/src/properties.rs"]
mod properties;
mod scripted;
mod world;

mod answer_memory;
mod bad_input;
mod bad_settings;
mod bounded_pauses;
mod canary;
mod cancel_is_safe;
mod client_authentication;
mod complaints;
mod components;
mod coverage;
mod discovery;
mod dossiers;
mod download_limits;
mod download_versions;
mod downloads_resumed;
mod dropped;
#[cfg(reconstruction)]
mod fault_table;
mod files;
#[cfg(unix)]
mod full_disk;
mod futures_are_send;
#[cfg(reconstruction)]
mod harmless_texts;
mod hostile_ids;
mod identity_provider;
#[cfg(reconstruction)]
mod inferred_paths;
mod inside_packages;
mod license;
mod limits;
#[cfg(reconstruction)]
mod linked_pages;
mod log_in;
mod log_in_by_browser;
mod log_in_by_device;
mod log_in_by_loopback;
mod long_waits;
mod lost_answers;
mod lost_uploads;
#[cfg(reconstruction)]
mod one_bad_element;
mod openid_nonce;
mod packages;
mod paging;
mod partial_downloads;
mod pauses_asked_for;
mod predicates;
mod profiles;
mod provider_answers;
mod provider_outage;
mod raw;
mod redirected_downloads;
mod refresh_trouble;
#[cfg(reconstruction)]
mod saved_answers;
mod spans;
#[cfg(unix)]
mod store_paths;
mod stores;
#[cfg(reconstruction)]
mod streamed_lists;
mod suggested_names;
mod tenant_and_bearer;
mod token_endpoint;
mod tolerance;
#[cfg(reconstruction)]
mod tolerated_answers;
mod unsupported;
mod upload_and_wait;
mod upload_refusals;
mod uploads;
#[cfg(has = "getUsers")]
mod users;
mod waits;
mod waits_together;
mod was_sent;
mod workbooks_of_other_programs;
