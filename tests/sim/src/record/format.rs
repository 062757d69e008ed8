//! The file of a recording: JSON Lines, a header with the version and one exchange per line.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::wire::OrderedJson;

/// The version of the format, in the header line.
pub(super) const VERSION: u64 = 1;
/// Stands for the base URL of the service in headers and bodies.
pub(super) const BASE_URL: &str = "{{base_url}}";

/// A failure of a recorder or a replay, described in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RecordError(pub(super) String);

/// The first line of a recording.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) documine_recording: u64,
    pub(super) bodies: RecordedBodies,
}

/// The bodies that a recorder keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordedBodies {
    /// No bodies: methods, paths, statuses and headers only.
    None,
    /// JSON bodies and forms. Documents, packages and XML are left out.
    #[default]
    Json,
    /// All bodies.
    All,
}

impl std::str::FromStr for RecordedBodies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "json" => Ok(Self::Json),
            "all" => Ok(Self::All),
            _ => Err("write none, json or all".to_owned()),
        }
    }
}

/// A recorded request and its response, without secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecordedExchange {
    /// The operation of the API or the endpoint of the identity provider, as in [`RecordedRequest::operation`](crate::RecordedRequest).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query without the question mark. Values of secret parameters are `removed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Request headers that matter for a response, with lower-case names.
    #[serde(default)]
    pub request_headers: Vec<(String, String)>,
    /// The request body.
    #[serde(default)]
    pub request_body: RecordedBody,
    /// The status of the response.
    pub status: u16,
    /// Response headers that matter to a client, with lower-case names. `{{base_url}}` stands for the base URL of the service.
    #[serde(default)]
    pub response_headers: Vec<(String, String)>,
    /// The response body. `{{base_url}}` stands for the base URL of the service.
    #[serde(default)]
    pub response_body: RecordedBody,
}

/// A recorded body.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordedBody {
    /// No body.
    #[default]
    Empty,
    /// JSON. Values of secret members are `"removed"`.
    Json(RecordedJson),
    /// Text.
    Text(String),
    /// Bytes in base64.
    Base64(String),
    /// A body of this many bytes that was left out.
    Omitted(u64),
}

/// JSON whose members keep their order. Its `Display` is the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordedJson(pub(super) OrderedJson);

impl fmt::Display for RecordedJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl RecordedBody {
    /// Returns the bytes of the body, or `None` if they were left out.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Empty => Some(Vec::new()),
            Self::Json(json) => Some(json.to_string().into_bytes()),
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Base64(text) => STANDARD.decode(text).ok(),
            Self::Omitted(_) => None,
        }
    }

    pub(super) fn base64(bytes: &[u8]) -> Self {
        Self::Base64(STANDARD.encode(bytes))
    }
}

/// A recording that was read from a file.
#[derive(Clone, Debug)]
pub struct Recording {
    exchanges: Vec<RecordedExchange>,
}

impl Recording {
    /// Reads a recording. An incomplete last line, as a killed recorder leaves, is ignored.
    ///
    /// # Errors
    /// The file cannot be read, is not a recording, or has another version; the error names the line.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|error| RecordError(format!("recording {}: {error}", path.display())))?;
        Self::parse(&text).map_err(|error| RecordError(format!("recording {}: {error}", path.display())))
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.split_inclusive('\n').enumerate();
        let header = lines.next().map(|(_, line)| line).unwrap_or_default();
        let header: Header = serde_json::from_str(header).map_err(|_| {
            "line 1 is not the header of a recording; record again with `documine-sim record`".to_owned()
        })?;
        if header.documine_recording != VERSION {
            return Err(format!(
                "version {} is unknown; this build reads version {VERSION}",
                header.documine_recording
            ));
        }
        let mut exchanges = Vec::new();
        for (number, line) in lines {
            match serde_json::from_str(line) {
                Ok(exchange) => exchanges.push(exchange),
                Err(_) if !line.ends_with('\n') => break,
                Err(error) => return Err(format!("line {}: {error}", number + 1)),
            }
        }
        Ok(Self { exchanges })
    }

    /// Returns the exchanges in the order of their responses.
    pub fn exchanges(&self) -> &[RecordedExchange] {
        &self.exchanges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incomplete_last_line_is_ignored_and_other_errors_name_the_line() {
        let header = r#"{"documine_recording":1,"bodies":"json"}"#;
        let line = r#"{"method":"GET","path":"/api/license","status":200,"response_body":{"json":{"id":1}}}"#;
        let recording = Recording::parse(&format!("{header}\n{line}\n{}", &line[..30])).expect("readable");
        assert_eq!(recording.exchanges().len(), 1);
        assert_eq!(recording.exchanges()[0].response_body.bytes().expect("recorded"), br#"{"id":1}"#);
        let error = |text: String| Recording::parse(&text).expect_err("refused");
        assert!(error(format!("{header}\n{{}}\n")).starts_with("line 2: missing field `method`"));
        assert!(error(line.to_owned()).starts_with("line 1 is not the header"));
        assert!(error(header.replace(":1", ":2")).starts_with("version 2 is unknown"));
    }
}
