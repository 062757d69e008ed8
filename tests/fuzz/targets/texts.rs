//! Ids, open sets and times: any text is preserved or rejected.
#![no_main]

use documine_api::Timestamp;
use documine_api::enums::{DownloadState, ProcessingStatus};
use documine_api::ids::FileId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match FileId::new(text) {
        Ok(id) => assert_eq!(id.as_str(), text),
        Err(error) => assert!(!error.to_string().contains(char::is_control)),
    }
    assert_eq!(ProcessingStatus::from(text).as_str(), text);
    assert_eq!(DownloadState::from(text).to_string(), text);
    let time = Timestamp::from(text);
    assert_eq!(time.as_str(), text);
    if let Some(instant) = time.to_system_time() {
        // Written again, it is a text that means an instant, as long as four digits name the year.
        let _ = Timestamp::from_system_time(instant).to_system_time();
    }
});
