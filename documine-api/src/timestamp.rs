//! Points in time as the service writes them.

use std::convert::Infallible;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};

/// A point in time, kept as the text it came as, so that nothing is lost when an answer is stored and read again.
///
/// Reading one never fails: services change how they write times. [`to_system_time`](Self::to_system_time) tells the instant where
/// the text means one; it takes an offset with or without a colon, `Z`, up to nanoseconds, and takes a text without an
/// offset as UTC. Two texts of the same instant are not equal; compare instants for that.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use documine_api::Timestamp;
///
/// let time = Timestamp::from("2020-01-23T04:56:07.000+00:00");
/// assert_eq!(time.to_string(), "2020-01-23T04:56:07.000+00:00");
/// let instant = time.to_system_time().expect("an instant");
/// assert_eq!(instant, SystemTime::UNIX_EPOCH + Duration::from_secs(1_579_755_367));
/// assert_eq!(Timestamp::from_system_time(instant), time);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Timestamp(String);

impl Timestamp {
    /// The text, as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The instant it means, if it means one.
    pub fn to_system_time(&self) -> Option<SystemTime> {
        let text = self.0.trim();
        for form in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z"] {
            if let Ok(time) = DateTime::parse_from_str(text, form) {
                return instant(time.timestamp(), time.timestamp_subsec_nanos());
            }
        }
        for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
            if let Ok(time) = NaiveDateTime::parse_from_str(text, form) {
                let time = time.and_utc();
                return instant(time.timestamp(), time.timestamp_subsec_nanos());
            }
        }
        text.parse::<chrono::NaiveDate>()
            .ok()
            .and_then(|date| date.and_hms_opt(0, 0, 0))
            .and_then(|time| instant(time.and_utc().timestamp(), 0))
    }

    /// Writes an instant as the service does: UTC, milliseconds, numeric offset. One that no calendar names becomes the nearest that it does.
    pub fn from_system_time(time: SystemTime) -> Self {
        let (sign, distance) = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => (1, after),
            Err(before) => (-1, before.duration()),
        };
        let millis = i64::try_from(distance.as_millis()).unwrap_or(i64::MAX).saturating_mul(sign);
        let edge = if sign > 0 { DateTime::<Utc>::MAX_UTC } else { DateTime::<Utc>::MIN_UTC };
        let time = DateTime::from_timestamp_millis(millis).unwrap_or(edge);
        Self(time.to_rfc3339_opts(SecondsFormat::Millis, false))
    }
}

/// The instant so many seconds and nanoseconds after 1970 began; `None` where the system's clock does not reach.
fn instant(seconds: i64, nanos: u32) -> Option<SystemTime> {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let second = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    second?.checked_add(Duration::from_nanos(nanos.into()))
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self::from_system_time(time)
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(String::from(text))
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::str::FromStr for Timestamp {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for Timestamp {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date-time"})
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::Timestamp;

    fn seconds(text: &str) -> Option<f64> {
        let time = Timestamp::from(text).to_system_time()?;
        time.duration_since(SystemTime::UNIX_EPOCH).ok().map(|since| since.as_secs_f64())
    }

    #[test]
    fn every_spelling_that_services_use_means_its_instant() {
        let base = 1_579_755_367.0;
        for text in [
            "2020-01-23T04:56:07.000+00:00",
            "2020-01-23T04:56:07+0000",
            "2020-01-23T04:56:07.000+0000",
            "2020-01-23T04:56:07Z",
            "2020-01-23T05:56:07.000+01:00",
            "2020-01-23T04:56:07.000000000Z",
            "2020-01-23T04:56:07",
            "2020-01-23T04:56:07.000",
            "2020-01-23 04:56:07Z",
            "2020-01-22T23:56:07-05",
        ] {
            assert_eq!(seconds(text), Some(base), "{text}");
        }
        assert_eq!(seconds("2020-01-23T04:56:07.250Z"), Some(base + 0.25));
        assert_eq!(seconds("2020-01-23"), Some(1_579_737_600.0));
    }

    #[test]
    fn a_text_that_means_no_instant_is_kept() {
        for text in ["", "soon", "2020-13-01T00:00:00Z", "1579755367"] {
            let time = Timestamp::from(text);
            assert_eq!(time.to_system_time(), None, "{text}");
            assert_eq!(time.as_str(), text);
        }
    }

    #[test]
    fn instants_before_1970_and_far_away_do_not_panic() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_millis(1500);
        let written = Timestamp::from_system_time(before);
        assert_eq!(written.as_str(), "1969-12-31T23:59:58.500+00:00");
        assert_eq!(written.to_system_time(), Some(before));
        assert!(Timestamp::from("9999-12-31T23:59:59Z").to_system_time().is_some());
    }
}
