//! The measured figures: a row is one figure of one job, with a cell for each client.

use serde_json::{Value, json};

/// Reason why a figure was not measured.
pub(super) type NotMeasured = String;

/// Measured client, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Ours,
    /// Without default features, with TLS.
    OursMinimal,
    Reqwest,
    Generated,
    Curl,
    Octocrab,
    AsyncOpenai,
}

impl Subject {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OursMinimal => "ours, minimal",
            Self::Reqwest => "reqwest",
            Self::Generated => "generated",
            Self::Curl => "curl",
            Self::Octocrab => "octocrab",
            Self::AsyncOpenai => "async-openai",
        }
    }
}

/// The unit of a row's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Instructions, allocations, crates.
    Count,
    Nanoseconds,
    Seconds,
    Kibibytes,
}

/// Figure of one client.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) who: Subject,
    /// One number for each round.
    pub(super) rounds: Result<Vec<f64>, NotMeasured>,
}

/// One figure of one job.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) job: String,
    pub(super) metric: &'static str,
    pub(super) unit: Unit,
    pub(super) cells: Vec<Cell>,
}

impl Row {
    pub(super) fn new(job: impl Into<String>, metric: &'static str, unit: Unit) -> Self {
        Self { job: job.into(), metric, unit, cells: Vec::new() }
    }

    pub(super) fn add(&mut self, who: Subject, rounds: Result<Vec<f64>, NotMeasured>) {
        self.cells.push(Cell { who, rounds });
    }

    pub(super) fn rounds(&self, who: Subject) -> Option<&[f64]> {
        self.cells.iter().find(|cell| cell.who == who)?.rounds.as_deref().ok()
    }

    /// Returns the ratio of ours to another client: the median of the ratios of the rounds, because load affects both clients of a round.
    pub(super) fn ratio(&self, other: Subject) -> Option<f64> {
        self.ratio_of(Subject::Ours, other)
    }

    /// As [`ratio`](Self::ratio), for any two clients.
    pub(super) fn ratio_of(&self, one: Subject, other: Subject) -> Option<f64> {
        let (ours, theirs) = (self.rounds(one)?, self.rounds(other)?);
        if ours.len() == theirs.len() {
            return median(&ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect::<Vec<_>>());
        }
        Some(median(ours)? / median(theirs)?)
    }

    pub(super) fn to_json(&self) -> Value {
        let unit = match self.unit {
            Unit::Count => "count",
            Unit::Nanoseconds => "ns",
            Unit::Seconds => "s",
            Unit::Kibibytes => "KiB",
        };
        let cells = self.cells.iter().map(|cell| {
            let value = match &cell.rounds {
                Ok(rounds) => json!({ "median": median(rounds), "rounds": rounds }),
                Err(reason) => json!({ "not_run": reason }),
            };
            (cell.who.name().to_owned(), value)
        });
        json!({
            "job": self.job,
            "metric": self.metric,
            "unit": unit,
            "figures": cells.collect::<serde_json::Map<_, _>>(),
            "ours_to_reqwest": self.ratio(Subject::Reqwest),
            "ours_to_generated": self.ratio(Subject::Generated),
        })
    }
}

/// Returns the median.
pub(super) fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

/// Returns half of the range, relative to the median.
pub(super) fn spread(numbers: &[f64]) -> Option<f64> {
    let smallest = numbers.iter().copied().min_by(f64::total_cmp)?;
    let largest = numbers.iter().copied().max_by(f64::total_cmp)?;
    median(numbers).filter(|median| *median > 0.0).map(|median| (largest - smallest) / 2.0 / median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calculates_median_and_spread() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        assert_eq!(spread(&[9.0, 10.0, 11.0]), Some(0.1));
    }

    #[test]
    fn compares_clients_round_by_round() {
        let mut row = Row::new("call", "wall", Unit::Nanoseconds);
        // The second round was slow for both.
        row.add(Subject::Ours, Ok(vec![2.0, 40.0, 2.0]));
        row.add(Subject::Reqwest, Ok(vec![1.0, 20.0, 1.0]));
        row.add(Subject::Generated, Err("no Java".to_owned()));
        assert_eq!(row.ratio(Subject::Reqwest), Some(2.0));
        assert_eq!(row.ratio(Subject::Generated), None);
    }
}
