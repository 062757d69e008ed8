//! Statistics of each component: coverage, distinct values, and values that differ from the rest.
//!
//! Memory is bounded for each component: a sample of the numbers, the hashes of distinct values up to a limit, and the extremes.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{Datelike, NaiveDate};
use documine::extract;
use serde::Serialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};

use crate::text::shortened;

/// Distinct values are counted up to this number.
const MOST_DISTINCT: usize = 10_000;
/// Values are counted by their text up to this number of distinct texts.
const MOST_COUNTED: usize = 200;
/// Most frequent values in the report.
const FREQUENT: usize = 3;
/// Numbers in the sample of a component.
const SAMPLE: usize = 10_000;
/// Suspicious values in the report, for each component and kind.
const SHOWN: usize = 5;
/// Longer texts are neither dates nor numbers.
const LONGEST_READING: usize = 64;
/// The share of values, in percent, that makes a component one of dates or numbers.
const TYPE_SHARE: usize = 80;
/// Fewer values have no type.
const LEAST_TYPED: usize = 5;
/// Fewer values have no outliers.
const LEAST_SPREAD: usize = 10;
/// Tukey's factor for values that are far out.
const FAR_OUT: f64 = 3.0;
/// Least interquartile range of dates, in days.
const LEAST_DAYS: f64 = 30.0;
/// Least interquartile range of lengths, in characters.
const LEAST_CHARACTERS: f64 = 5.0;

/// A value and its document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Found {
    pub(super) source: String,
    pub(super) value: String,
    pub(super) page: Option<u32>,
    pub(super) href: Option<String>,
}

/// Values of a component that differ from the rest for the same reason.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Suspicion {
    pub(super) reason: &'static str,
    pub(super) count: u64,
    /// Set if `count` is an estimate from a sample.
    pub(super) about: bool,
    pub(super) samples: Vec<Found>,
}

/// The statistics of a component in the report.
#[derive(Debug, Serialize)]
pub(super) struct ComponentSummary {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) documents: u64,
    pub(super) values: u64,
    pub(super) distinct: usize,
    /// Set if there are more distinct values than `distinct`.
    pub(super) distinct_or_more: bool,
    pub(super) frequent: Vec<(String, u64)>,
    pub(super) suspicions: Vec<Suspicion>,
}

/// The values of one component in one document.
pub(super) struct DocumentValues<'a> {
    pub(super) source: &'a str,
    pub(super) href: Option<&'a str>,
}

/// Collects the statistics of one component.
pub(super) struct ComponentStatistics {
    name: String,
    documents: u64,
    values: u64,
    blank: Misfits,
    distinct: HashSet<u64>,
    /// `None` after the limit of distinct texts.
    counted: Option<HashMap<String, u64>>,
    dates: Readings,
    numbers: Readings,
    lengths: Readings,
}

impl ComponentStatistics {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            documents: 0,
            values: 0,
            blank: Misfits::default(),
            distinct: HashSet::new(),
            counted: Some(HashMap::new()),
            dates: Readings::new(),
            numbers: Readings::new(),
            lengths: Readings::new(),
        }
    }

    /// Adds the values of a document.
    pub(super) fn add(&mut self, component: &extract::Component<'_>, document: &DocumentValues<'_>) {
        self.documents += u64::from(!component.is_empty());
        for value in component.iter() {
            self.values += 1;
            let text = value.raw();
            let found = || Found {
                source: document.source.to_owned(),
                value: shortened(text).into_owned(),
                page: value.page(),
                href: document.href.map(|href| super::link::with_page(href, value.page())),
            };
            self.count(text);
            if text.trim().is_empty() {
                self.blank.add(found);
                continue;
            }
            match date(text) {
                Some(days) => self.dates.add(days, found),
                None => self.dates.misfits.add(found),
            }
            match number(text) {
                Reading::Number(number) => self.numbers.add(number, found),
                Reading::Ambiguous => self.numbers.ambiguous += 1,
                Reading::Other => self.numbers.misfits.add(found),
            }
            // No text has 2^52 characters.
            #[allow(clippy::cast_precision_loss)]
            self.lengths.add(text.chars().count() as f64, found);
        }
    }

    fn count(&mut self, text: &str) {
        if self.distinct.len() <= MOST_DISTINCT {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            self.distinct.insert(hasher.finish());
        }
        if let Some(counted) = &mut self.counted {
            let short = shortened(text);
            if let Some(count) = counted.get_mut(short.as_ref()) {
                *count += 1;
            } else if counted.len() < MOST_COUNTED {
                counted.insert(short.into_owned(), 1);
            } else {
                self.counted = None;
            }
        }
    }

    /// Returns the statistics.
    pub(super) fn finish(self) -> ComponentSummary {
        let mut suspicions = Vec::new();
        let has_type = |readings: &Readings| {
            let (fits, all) = (readings.fits(), readings.fits() + readings.misfits.count);
            all >= LEAST_TYPED as u64 && fits * 100 >= all * TYPE_SHARE as u64
        };
        let kind = if has_type(&self.dates) {
            suspicions.extend(self.dates.misfits.suspicion("not a date"));
            suspicions.extend(self.dates.spread.far_out("date far out", LEAST_DAYS, false));
            "dates"
        } else if has_type(&self.numbers) {
            suspicions.extend(self.numbers.misfits.suspicion("not a number"));
            let least = self.numbers.spread.median().abs() / 10.0;
            suspicions.extend(self.numbers.spread.far_out("number far out", least, true));
            "numbers"
        } else {
            suspicions.extend(self.lengths.spread.far_out("length far out", LEAST_CHARACTERS, true));
            "texts"
        };
        suspicions.extend(self.blank.suspicion("blank"));
        let mut frequent: Vec<_> =
            self.counted.unwrap_or_default().into_iter().filter(|(_, count)| *count > 1).collect();
        frequent.sort_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.cmp(b)));
        frequent.truncate(FREQUENT);
        ComponentSummary {
            name: self.name,
            kind,
            documents: self.documents,
            values: self.values,
            distinct: self.distinct.len().min(MOST_DISTINCT),
            distinct_or_more: self.distinct.len() > MOST_DISTINCT,
            frequent,
            suspicions,
        }
    }
}

/// Values without a property: their number and the first of them.
#[derive(Default)]
struct Misfits {
    count: u64,
    first: Vec<Found>,
}

impl Misfits {
    fn add(&mut self, found: impl FnOnce() -> Found) {
        self.count += 1;
        if self.first.len() < SHOWN {
            self.first.push(found());
        }
    }

    fn suspicion(self, reason: &'static str) -> Option<Suspicion> {
        (self.count > 0).then_some(Suspicion { reason, count: self.count, about: false, samples: self.first })
    }
}

/// The values of a component as numbers of one kind.
struct Readings {
    spread: Spread,
    /// Numbers with two readings.
    ambiguous: u64,
    misfits: Misfits,
}

impl Readings {
    fn new() -> Self {
        Self { spread: Spread::new(), ambiguous: 0, misfits: Misfits::default() }
    }

    fn add(&mut self, number: f64, found: impl Fn() -> Found) {
        self.spread.add(number, found);
    }

    fn fits(&self) -> u64 {
        self.spread.count + self.ambiguous
    }
}

/// A sample of numbers with the extremes of all of them.
struct Spread {
    count: u64,
    sample: Vec<f64>,
    /// Ascending.
    lowest: Vec<(f64, Found)>,
    /// Descending.
    highest: Vec<(f64, Found)>,
    random: fastrand::Rng,
}

impl Spread {
    fn new() -> Self {
        // The same journal gives the same report.
        let random = fastrand::Rng::with_seed(1);
        Self { count: 0, sample: Vec::new(), lowest: Vec::new(), highest: Vec::new(), random }
    }

    fn add(&mut self, number: f64, found: impl Fn() -> Found) {
        self.count += 1;
        if self.sample.len() < SAMPLE {
            self.sample.push(number);
        } else if let Ok(at) = usize::try_from(self.random.u64(..self.count))
            && let Some(place) = self.sample.get_mut(at)
        {
            *place = number;
        }
        keep(&mut self.lowest, |other| number < other, number, &found);
        keep(&mut self.highest, |other| number > other, number, &found);
    }

    fn median(&self) -> f64 {
        let mut sorted = self.sample.clone();
        sorted.sort_by(f64::total_cmp);
        quantile(&sorted, 0.5)
    }

    /// Returns the values outside of Tukey's outer fences: three interquartile ranges below the first or above the third quartile.
    ///
    /// `least` is the least interquartile range. Amounts and lengths spread over orders of magnitude, so that with `ratios` a positive value must be
    /// far out among the logarithms, too.
    fn far_out(mut self, reason: &'static str, least: f64, ratios: bool) -> Option<Suspicion> {
        self.sample.sort_by(f64::total_cmp);
        let lowest = self.sample.first().copied()?;
        if self.sample.len() < LEAST_SPREAD {
            return None;
        }
        let linear = Fences::new(&self.sample, least)?;
        let logarithms: Vec<f64> = self.sample.iter().map(|number| number.ln()).collect();
        let logarithmic = if ratios && lowest > 0.0 { Fences::new(&logarithms, 1.5_f64.ln()) } else { None };
        let is_out = |number: f64| {
            linear.exclude(number) && logarithmic.as_ref().is_none_or(|fences| fences.exclude(number.ln()))
        };
        let in_sample = self.sample.iter().filter(|number| is_out(**number)).count() as u64;
        let about = self.count > self.sample.len() as u64;
        let mut samples: Vec<_> =
            self.highest.into_iter().chain(self.lowest).filter(|(number, _)| is_out(*number)).collect();
        if samples.is_empty() {
            return None;
        }
        let middle = quantile(&self.sample, 0.5);
        samples.sort_by(|(a, _), (b, _)| (b - middle).abs().total_cmp(&(a - middle).abs()));
        samples.truncate(SHOWN);
        let samples: Vec<_> = samples.into_iter().map(|(_, found)| found).collect();
        let scaled = if about { in_sample * self.count / self.sample.len() as u64 } else { in_sample };
        Some(Suspicion { reason, count: scaled.max(samples.len() as u64), about, samples })
    }
}

/// Inserts a number into a short sorted list.
fn keep(list: &mut Vec<(f64, Found)>, is_before: impl Fn(f64) -> bool, number: f64, found: &impl Fn() -> Found) {
    let at = list.iter().position(|(other, _)| is_before(*other)).unwrap_or(list.len());
    if at < SHOWN {
        list.insert(at, (number, found()));
        list.truncate(SHOWN);
    }
}

struct Fences {
    low: f64,
    high: f64,
}

impl Fences {
    fn new(sorted: &[f64], least: f64) -> Option<Self> {
        let (first, third) = (quantile(sorted, 0.25), quantile(sorted, 0.75));
        let range = (third - first).max(least);
        (range > 0.0 && range.is_finite())
            .then_some(Self { low: first - FAR_OUT * range, high: third + FAR_OUT * range })
    }

    fn exclude(&self, number: f64) -> bool {
        number < self.low || number > self.high
    }
}

/// Returns a quantile of sorted numbers; 0 without numbers.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

fn may_be_read(text: &str) -> bool {
    text.len() <= LONGEST_READING && text.chars().any(char::is_numeric)
}

/// Returns a date as a number of days.
fn date(text: &str) -> Option<f64> {
    if !may_be_read(text) {
        return None;
    }
    let deserializer: StrDeserializer<'_, ValueError> = text.into_deserializer();
    let iso: String = extract::with::date_day_first(deserializer).ok()?;
    Some(f64::from(iso.parse::<NaiveDate>().ok()?.num_days_from_ce()))
}

enum Reading {
    Number(f64),
    Ambiguous,
    Other,
}

/// Reads a number or an amount of money.
fn number(text: &str) -> Reading {
    if !may_be_read(text) {
        return Reading::Other;
    }
    match extract::number::<f64>(text) {
        Ok(number) => Reading::Number(number),
        Err(error) if error.is_ambiguous() => Reading::Ambiguous,
        Err(_) => {
            let deserializer: StrDeserializer<'_, ValueError> = text.into_deserializer();
            extract::with::amount(deserializer).map_or(Reading::Other, Reading::Number)
        }
    }
}
