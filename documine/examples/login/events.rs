//! Output of the program: lines for people on stderr, or one JSON object per line on stdout for programs.

use std::io::Write;
use std::time::SystemTime;

use documine::{
    auth::{DeviceCode, Identity, LoginEvent},
    observe::{CallEnded, Observer},
};
use serde::Serialize;

use crate::args::Flow;
use crate::failure::Failure;

/// Something that a program may want to react to.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    OpenUrl {
        url: String,
    },
    DeviceCode {
        user_code: String,
        verification_uri: String,
        verification_uri_complete: Option<String>,
        interval: u64,
        expires_in: u64,
    },
    LoggedIn {
        flow: &'static str,
        /// Seconds; null where the provider named no end.
        access_expires_in: Option<u64>,
        refresh_expires_in: Option<u64>,
        scopes: Vec<String>,
    },
    WhoAmI {
        workspace: String,
        account: Option<String>,
        access_expires_in: Option<u64>,
        refresh_expires_in: Option<u64>,
        scopes: Vec<String>,
    },
    Refreshed,
    Adopted,
    StoreFailed {
        message: String,
    },
    RefreshFailed {
        message: String,
    },
    LoginNeeded {
        message: String,
    },
    ApiCall {
        operation: &'static str,
        /// Null where no answer came; an `error` follows at the end.
        status: Option<u16>,
    },
    LoggedOut {
        revoked: bool,
        session_ended: bool,
    },
    Error {
        kind: &'static str,
        message: String,
    },
}

impl Event {
    pub(crate) fn device_code(code: &DeviceCode) -> Self {
        Self::DeviceCode {
            user_code: code.user_code.clone(),
            verification_uri: code.verification_uri.clone(),
            verification_uri_complete: code.verification_uri_complete.clone(),
            interval: code.interval.as_secs(),
            expires_in: code.expires_in.as_secs(),
        }
    }

    pub(crate) fn logged_in(flow: Flow, me: &Identity) -> Self {
        Self::LoggedIn {
            flow: flow.name(),
            access_expires_in: seconds_to(me.access_expires_at),
            refresh_expires_in: seconds_to(me.refresh_expires_at),
            scopes: me.scopes.clone(),
        }
    }

    pub(crate) fn identity(me: &Identity) -> Self {
        Self::WhoAmI {
            workspace: me.workspace.clone(),
            account: me.account.clone(),
            access_expires_in: seconds_to(me.access_expires_at),
            refresh_expires_in: seconds_to(me.refresh_expires_at),
            scopes: me.scopes.clone(),
        }
    }

    pub(crate) fn error(failure: &Failure) -> Self {
        Self::Error { kind: failure.kind, message: failure.message.clone() }
    }

    /// For people.
    fn line(&self) -> String {
        let end =
            |seconds: &Option<u64>| seconds.map_or("without a known end".to_owned(), |left| format!("for {left} s"));
        match self {
            Self::OpenUrl { url } => format!("Open this page and log in there:\n  {url}"),
            Self::DeviceCode { user_code, verification_uri, verification_uri_complete, expires_in, .. } => {
                let link = verification_uri_complete.as_ref().map(|link| format!("\n  or {link}")).unwrap_or_default();
                format!(
                    "On any device, open\n  {verification_uri}\nand type the code {user_code} within {expires_in} s{link}"
                )
            }
            Self::LoggedIn { flow, access_expires_in, refresh_expires_in, scopes } => format!(
                "Logged in ({flow}): access token {}, refresh token {}, scopes: {}",
                end(access_expires_in),
                end(refresh_expires_in),
                scopes.join(" ")
            ),
            Self::WhoAmI { workspace, account, access_expires_in, refresh_expires_in, scopes } => format!(
                "{} in the workspace {workspace}: access token {}, refresh token {}, scopes: {}",
                account.as_deref().unwrap_or("An account without a name"),
                end(access_expires_in),
                end(refresh_expires_in),
                scopes.join(" ")
            ),
            Self::Refreshed => "The tokens were refreshed.".into(),
            Self::Adopted => "The tokens of the store are used.".into(),
            Self::StoreFailed { message } => format!("The tokens could not be kept: {message}"),
            Self::RefreshFailed { message } => format!("The tokens could not be refreshed: {message}"),
            Self::LoginNeeded { message } => format!("A login is needed: {message}"),
            Self::ApiCall { operation, status: Some(status) } => format!("{operation}: {status}"),
            Self::ApiCall { operation, status: None } => format!("{operation}: no answer"),
            Self::LoggedOut { revoked, session_ended } => format!(
                "Logged out: token {}, session {}.",
                if *revoked { "revoked" } else { "not revoked" },
                if *session_ended { "ended" } else { "not ended" }
            ),
            Self::Error { message, .. } => format!("error: {message}"),
        }
    }
}

/// The remaining lifetime of a token, to the nearest second.
fn seconds_to(end: Option<SystemTime>) -> Option<u64> {
    let left = end?.duration_since(SystemTime::now()).unwrap_or_default();
    Some(left.as_secs() + u64::from(left.subsec_millis() >= 500))
}

/// Prints the event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Teller {
    json: bool,
}

impl Teller {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn tell(self, event: &Event) {
        if self.json {
            // One write: lines of tasks that end at the same time do not mix. A reader who has gone away wants nothing more.
            let line = serde_json::to_string(event).unwrap_or_default() + "\n";
            drop(std::io::stdout().write_all(line.as_bytes()));
        } else {
            self.say(&event.line());
        }
    }

    /// Something for people alone.
    pub(crate) fn say(self, text: &str) {
        if !self.json {
            drop(writeln!(std::io::stderr(), "{text}"));
        }
    }
}

/// Events beside the calls come from the SDK's observer.
impl Observer for Teller {
    fn ended(&self, event: &CallEnded<'_>) {
        let status = event.outcome.as_ref().map_or_else(|error| error.status(), |status| Some(*status));
        self.tell(&Event::ApiCall { operation: event.operation, status: status.map(|status| status.as_u16()) });
    }

    fn login(&self, event: &LoginEvent<'_>) {
        let event = match event {
            LoginEvent::Refreshed => Event::Refreshed,
            LoginEvent::Adopted => Event::Adopted,
            LoginEvent::StoreFailed(error) => Event::StoreFailed { message: error.to_string() },
            LoginEvent::RefreshFailed(error) => Event::RefreshFailed { message: error.to_string() },
            LoginEvent::LoginNeeded(error) => Event::LoginNeeded { message: error.to_string() },
            _ => return,
        };
        self.tell(&event);
    }
}
