//! How long work took so far: a hint for when to look at the next one.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many are remembered of each kind.
const REMEMBERED: usize = 32;
/// From so many on there is something usual.
const ENOUGH: usize = 3;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Dossier,
    Package,
}

/// What a client and its clones have seen.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<[VecDeque<Duration>; 3]>);

impl History {
    /// Notes how long a wait took that saw the work go on.
    pub(super) fn note(&self, kind: Kind, took: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let times = &mut all[kind as usize];
        if times.len() == REMEMBERED {
            times.pop_front();
        }
        times.push_back(took);
    }

    /// How long it usually takes (the median), once enough is known.
    pub(super) fn usual(&self, kind: Kind) -> Option<Duration> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut times: Vec<_> = all[kind as usize].iter().copied().collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().filter(|_| times.len() >= ENOUGH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_time_is_known_after_three_and_forgets_the_old() {
        let history = History::default();
        let seconds = Duration::from_secs;
        history.note(Kind::File, seconds(1));
        history.note(Kind::File, seconds(100));
        assert_eq!(history.usual(Kind::File), None);
        history.note(Kind::File, seconds(3));
        assert_eq!(history.usual(Kind::File), Some(seconds(3)));
        assert_eq!(history.usual(Kind::Package), None);
        for _ in 0..REMEMBERED {
            history.note(Kind::File, seconds(7));
        }
        assert_eq!(history.usual(Kind::File), Some(seconds(7)));
    }
}
