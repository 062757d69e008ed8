//! Properties of ids, open enums and timestamps for arbitrary strings.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use documine_api::enums::{DossierTemplateStatus, DownloadFileType, DownloadState, ProcessingStatus, WorkflowStatus};
use documine_api::ids::{
    DossierId, DossierTemplateId, DownloadId, FileId, InvalidId, PathSegment, ReportTemplateId, UserId,
};
use documine_api::{Client, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

use super::requests::{RecordingTransport, client, seen};
use crate::properties::cases;

/// Strings with a special meaning in a path or for a parser.
const SPECIAL: [&str; 20] = [
    ".", "..", "/", "\\", "?", "#", "%", "%2e", "%2E", "%2f", "%5C", "%00", " ", "\n", "\u{85}", "\u{2028}", "ü", "🔑",
    ":", "@",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        2 => "[a-zA-Z0-9-]{1,5}",
        3 => prop::sample::select(&SPECIAL).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn id() -> impl Strategy<Value = String> {
    text().prop_filter("an id", |text| FileId::new(text.as_str()).is_ok())
}

/// Percent-decodes a path segment.
fn percent_decode(segment: &str) -> Vec<u8> {
    let (mut bytes, mut out) = (segment.bytes(), Vec::new());
    while let Some(byte) = bytes.next() {
        let digits: String =
            if byte == b'%' { bytes.by_ref().take(2).map(char::from).collect() } else { String::new() };
        out.push(u8::from_str_radix(&digits, 16).unwrap_or(byte));
    }
    out
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn rejects_exactly_the_documented_strings_as_ids(text in text()) {
        let dots: String = text.replace("%2e", ".").replace("%2E", ".");
        let refused = text.trim().is_empty() || text.contains(char::is_control) || text.contains('\\') || dots == "." || dots == "..";
        let read = |made: Result<(), InvalidId>| made.is_err();
        for made in [
            read(DossierTemplateId::new(text.as_str()).map(drop)),
            read(DossierId::try_from(&text).map(drop)),
            read(text.parse::<FileId>().map(drop)),
            read(DownloadId::try_from(text.as_str()).map(drop)),
            read(UserId::new(text.clone()).map(drop)),
            read(ReportTemplateId::try_from(text.clone()).map(drop)),
            read(PathSegment::new(text.as_str()).map(drop)),
            serde_json::from_value::<FileId>(text.clone().into()).is_err(),
        ] {
            prop_assert_eq!(made, refused);
        }
        match FileId::new(text.as_str()) {
            Ok(id) => {
                prop_assert_eq!(id.to_string(), text.as_str());
                let json = serde_json::to_string(&id)?;
                prop_assert_eq!(serde_json::from_str::<FileId>(&json)?, id);
            }
            Err(error) => {
                let line = error.to_string();
                prop_assert!(!line.contains(char::is_control) && line.chars().count() < 600, "{}", line);
            }
        }
    }

    #[test]
    fn preserves_enum_values(text in prop_oneof![any::<String>(), "[A-Z_]{1,12}", prop::sample::select(ProcessingStatus::KNOWN).prop_map(str::to_lowercase)]) {
        check_enums(&text)?;
    }

    #[test]
    fn preserves_timestamp_strings(text in prop_oneof![any::<String>(), "[0-9]{1,6}-[0-9]{1,2}-[0-9]{1,2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{0,12})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"]) {
        let time: Timestamp = serde_json::from_value(text.clone().into())?;
        prop_assert_eq!(serde_json::to_value(&time)?, text.as_str());
        prop_assert_eq!(time.to_string(), text);
        let _ = time.to_system_time();
    }

    /// Covers the years 0 to 9999.
    #[test]
    fn preserves_instants_to_the_millisecond(millis in -62_167_219_200_000_i64..=253_402_300_799_999) {
        let distance = Duration::from_millis(millis.unsigned_abs());
        let epoch = SystemTime::UNIX_EPOCH;
        let time = if millis < 0 { epoch - distance } else { epoch + distance };
        prop_assert_eq!(Timestamp::from_system_time(time).to_system_time(), Some(time));
    }

    #[test]
    fn formats_every_instant(seconds: u64, nanos in 0..1_000_000_000_u32, before: bool) {
        let distance = Duration::new(seconds, nanos);
        let epoch = SystemTime::UNIX_EPOCH;
        if let Some(time) = if before { epoch.checked_sub(distance) } else { epoch.checked_add(distance) } {
            prop_assert!(!Timestamp::from_system_time(time).as_str().is_empty());
        }
    }
}

/// Shared, because creating a client reads the system's certificates.
static CLIENT: LazyLock<(Client, Arc<RecordingTransport>)> = LazyLock::new(|| client(Ok((500, ""))));

fn check_enums(text: &str) -> Result<(), TestCaseError> {
    macro_rules! check {
        ($($set:ident)*) => {
            $(
                let json = serde_json::to_string(text)?;
                let value: $set = serde_json::from_str(&json)?;
                prop_assert_eq!(serde_json::to_string(&value)?, json);
                prop_assert_eq!(value.as_str(), text);
                prop_assert_eq!(value.is_known(), $set::KNOWN.contains(&text));
                prop_assert_eq!(&value, &$set::from(text));
                prop_assert_eq!(&value, &$set::from(text.to_owned()));
                for known in $set::KNOWN {
                    prop_assert!($set::from(*known).is_known());
                    prop_assert_eq!($set::from(*known) == value, *known == text);
                }
            )*
        };
    }
    check!(DossierTemplateStatus DownloadFileType DownloadState ProcessingStatus WorkflowStatus);
    Ok(())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn sends_ids_unchanged_in_the_path(template in id(), dossier in id(), file in id()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let (client, memory) = &*CLIENT;
        let call = client.get_file().dossier_template_id(template.as_str()).dossier_id(dossier.as_str()).file_id(file.as_str());
        let _ = runtime.block_on(call.send());
        let url = seen(memory).pop().map(|seen| seen.url).unwrap_or_default();
        let url = url.strip_prefix("https://acme.example/base").unwrap_or_default().to_owned();
        prop_assert!(!url.contains(['?', '#', '\\']), "{}", url);
        let operation = documine_api::operations::operation("getFile").map(|operation| operation.path).unwrap_or_default();
        let wanted = operation.split('/').map(|segment| match segment {
            "{dossierTemplateId}" => template.as_bytes(),
            "{dossierId}" => dossier.as_bytes(),
            "{fileId}" => file.as_bytes(),
            other => other.as_bytes(),
        });
        prop_assert_eq!(url.split('/').map(percent_decode).collect::<Vec<_>>(), wanted.map(<[u8]>::to_vec).collect::<Vec<_>>());
    }
}
