//! The points at which processes are killed.

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::time::Duration;

/// The times of a run's phases.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timing {
    /// From the start of the process to the end of the listing.
    pub(crate) listing: Duration,
    /// From the last document to the first event of an output. All outputs are written in between.
    pub(crate) outputs: Duration,
    pub(crate) total: Duration,
}

/// The end of a process that was to be killed.
pub(crate) enum Outcome {
    Killed,
    Ended(ExitStatus),
}

/// The lines of a process so far.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    open: Option<u64>,
    counts: BTreeMap<String, u64>,
    pub(crate) last: String,
    pub(crate) error: Option<String>,
}

impl Progress {
    pub(crate) fn listed(&mut self, open: u64) {
        self.open = Some(open);
        "listed".clone_into(&mut self.last);
    }

    pub(crate) fn count(&mut self, line: &str) {
        *self.counts.entry(line.to_owned()).or_default() += 1;
        line.clone_into(&mut self.last);
    }

    fn of(&self, word: &str) -> u64 {
        self.counts.get(word).copied().unwrap_or_default()
    }
}

/// A point at which a process is killed.
#[derive(Debug, Clone)]
pub(crate) enum KillPoint {
    /// A time after the start: during the login, the opening of the journal, or the listing.
    Start(Duration),
    /// After a part of the open documents has ended a step.
    Step {
        step: &'static str,
        /// The part, as a share of the documents that this process is to finish.
        share: f64,
        /// Processes after this one that also need documents.
        left: u32,
        delay: Duration,
    },
    /// A time after the last document has finished.
    Outputs(Duration),
}

impl KillPoint {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Start(_) => "listing",
            Self::Step { step, .. } => step,
            Self::Outputs(_) => "outputs",
        }
    }

    pub(crate) fn is_output(&self) -> bool {
        matches!(self, Self::Outputs(_))
    }

    pub(crate) fn delay_before_listing(&self) -> Option<Duration> {
        if let Self::Start(delay) = self { Some(*delay) } else { None }
    }

    pub(crate) fn delay_after(&self) -> Duration {
        match self {
            Self::Start(_) => Duration::ZERO,
            Self::Step { delay, .. } | Self::Outputs(delay) => *delay,
        }
    }

    #[allow(clippy::cast_precision_loss, clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "a share")]
    pub(crate) fn is_reached(&self, progress: &Progress) -> bool {
        let Some(open) = progress.open else { return false };
        match self {
            Self::Start(_) => true,
            Self::Outputs(_) => progress.of("finished") >= open,
            Self::Step { step, share, left, .. } => {
                let part = open as f64 / f64::from(left + 1);
                let count = (part * share) as u64 + 1;
                // Documents of earlier processes may be behind the step, so that it does not come often enough.
                progress.of(step) >= count || progress.of("finished") >= count
            }
        }
    }
}

/// The points of a campaign: a sixth during the listing, a sixth during the outputs, and the others between.
pub(crate) struct KillPlan {
    points: std::vec::IntoIter<KillPoint>,
}

impl KillPlan {
    pub(crate) fn new(kills: u32, timing: Timing, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let (starts, outputs) = (kills.div_ceil(6), kills.div_ceil(6).min(kills / 2));
        let steps = kills.saturating_sub(starts + outputs);
        let mut points: Vec<_> =
            (0..starts).map(|_| KillPoint::Start(timing.listing.mul_f64(1.2 * random.f64()))).collect();
        for number in 0..steps {
            let step = ["hash", "upload", "wait", "fetch"][random.usize(..4)];
            let delay = Duration::from_micros(random.u64(..20_000));
            points.push(KillPoint::Step { step, share: 2.0 * random.f64(), left: steps - number - 1, delay });
        }
        // The first processes have nothing to list twice; the others do.
        let first = points.len().min(1);
        let (first, others) = points.split_at_mut(first);
        random.shuffle(others);
        let mut left = steps;
        for point in first.iter_mut().chain(others) {
            if let KillPoint::Step { left: own, .. } = point {
                left -= 1;
                *own = left;
            }
        }
        points.extend((0..outputs).map(|_| KillPoint::Outputs(timing.outputs.mul_f64(random.f64()))));
        Self { points: points.into_iter() }
    }

    pub(crate) fn next(&mut self) -> Option<KillPoint> {
        self.points.next()
    }
}
