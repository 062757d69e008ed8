//! How a wait ends without what was waited for.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::error::{Error, ErrorKind, TimeoutPhase};
use crate::text::{one_line, printable};

/// Why a wait ended without what was waited for. Each says what it was, where it stood, and how long and how often it was looked at.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum WaitError {
    /// The work ended, without success.
    #[non_exhaustive]
    Failed {
        /// What was waited for, for example `package 1b2c…`.
        what: String,
        /// Its id.
        id: String,
        /// The state it ended in.
        state: String,
        /// The service's reason.
        message: String,
        /// How long the wait took.
        elapsed: Duration,
        /// How many times the state was read.
        polls: u32,
    },
    /// The deadline came first. The work goes on at the service: wait again, or look later.
    #[non_exhaustive]
    DeadlineExceeded {
        /// What was waited for.
        what: String,
        /// Its id.
        id: String,
        /// The last state that was seen, if any.
        last_state: Option<String>,
        /// How long that state had not changed: much longer than usual means that the work stands still, not that it is slow.
        unchanged_for: Duration,
        /// How long the wait took.
        elapsed: Duration,
        /// How many times the state was read.
        polls: u32,
    },
    /// Nothing changed for as long as [`Wait::with_stall_limit`](crate::Wait::with_stall_limit) allows.
    #[non_exhaustive]
    Stalled {
        /// What was waited for.
        what: String,
        /// Its id.
        id: String,
        /// The last state that was seen, if any.
        last_state: Option<String>,
        /// How long that state had not changed.
        unchanged_for: Duration,
        /// How long the wait took.
        elapsed: Duration,
        /// How many times the state was read.
        polls: u32,
    },
    /// The service does not know it (any more): deleted, expired, or never there.
    #[non_exhaustive]
    Gone {
        /// What was waited for.
        what: String,
        /// Its id.
        id: String,
        /// The last state that was seen, if any.
        last_state: Option<String>,
        /// How long the wait took.
        elapsed: Duration,
        /// How many times the state was read.
        polls: u32,
    },
    /// The state could not be read, for a reason that does not pass.
    #[non_exhaustive]
    Poll {
        /// What was waited for.
        what: String,
        /// Its id.
        id: String,
        /// Why not.
        error: Error,
        /// The last state that was seen, if any.
        last_state: Option<String>,
        /// How long the wait took.
        elapsed: Duration,
        /// How many times the state was read.
        polls: u32,
    },
}

impl WaitError {
    /// The id of what was waited for, by which it can be found again.
    pub fn id(&self) -> &str {
        match self {
            Self::Failed { id, .. }
            | Self::DeadlineExceeded { id, .. }
            | Self::Stalled { id, .. }
            | Self::Gone { id, .. }
            | Self::Poll { id, .. } => id,
        }
    }

    /// The last state that was seen, in the service's own word, as one line.
    pub fn last_state(&self) -> Option<&str> {
        match self {
            Self::Failed { state, .. } => Some(state),
            Self::DeadlineExceeded { last_state, .. }
            | Self::Stalled { last_state, .. }
            | Self::Gone { last_state, .. }
            | Self::Poll { last_state, .. } => last_state.as_deref(),
        }
    }

    /// How long the wait took, and how many times the state was read.
    pub fn effort(&self) -> (Duration, u32) {
        match self {
            Self::Failed { elapsed, polls, .. }
            | Self::DeadlineExceeded { elapsed, polls, .. }
            | Self::Stalled { elapsed, polls, .. }
            | Self::Gone { elapsed, polls, .. }
            | Self::Poll { elapsed, polls, .. } => (*elapsed, *polls),
        }
    }
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.last_state().unwrap_or("unknown");
        let line = match self {
            Self::Failed { what, message, .. } => format!("{what} ended as {state}: {}", one_line(message)),
            Self::DeadlineExceeded { what, elapsed, polls, .. } => format!(
                "{what} was not ready after {elapsed:.0?} and {polls} looks (last state: {state}); it goes on at the service, wait again with a later deadline"
            ),
            Self::Stalled { what, unchanged_for, polls, .. } => format!(
                "{what} stands still: no change for {unchanged_for:.0?}, {polls} looks (last state: {state}); ask the service's operators, or wait longer"
            ),
            Self::Gone { what, .. } => format!("{what} is not there any more (last state: {state})"),
            Self::Poll { what, .. } => format!("the state of {what} could not be read"),
        };
        // Ids and states are texts of the service.
        f.write_str(&printable(&line))
    }
}

impl std::error::Error for WaitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Poll { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<WaitError> for Error {
    fn from(error: WaitError) -> Self {
        let kind = match &error {
            WaitError::Poll { error, .. } => return error.clone(),
            WaitError::DeadlineExceeded { .. } => ErrorKind::Timeout,
            WaitError::Failed { .. } | WaitError::Stalled { .. } | WaitError::Gone { .. } => ErrorKind::Operation,
        };
        let outer = Self::new(kind, error.to_string());
        let outer =
            if matches!(error, WaitError::Gone { .. }) { outer.with_status(StatusCode::NOT_FOUND) } else { outer };
        let outer = if kind == ErrorKind::Timeout { outer.with_phase(TimeoutPhase::Wait) } else { outer };
        outer.with_detail(error)
    }
}
