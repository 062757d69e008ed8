//! Timestamps in the precision of the API, and their textual forms.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Datelike, NaiveDateTime, TimeZone, Timelike, Utc};
use serde::{Deserialize, Serialize};

/// A timestamp in milliseconds since 1970, the precision of the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Timestamp(pub(crate) i64);

impl Timestamp {
    /// Returns the timestamp `duration` later.
    pub(crate) fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Formats date and time with milliseconds and offset, as the entities of the API do.
    pub(crate) fn to_rfc3339(self) -> String {
        self.utc().format("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string()
    }

    /// Formats date and time as error messages do.
    pub(crate) fn to_error_time(self) -> String {
        self.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Formats date and time for HTTP headers (IMF-fixdate, RFC 9110, 5.6.7).
    pub(crate) fn to_http_date(self) -> String {
        self.utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// Formats year and month, separated by a hyphen.
    pub(crate) fn year_month(self) -> String {
        self.utc().format("%Y-%m").to_string()
    }

    /// Returns year, and month to second, for formats that take them separately.
    pub(crate) fn calendar(self) -> (i32, [u8; 5]) {
        let time = self.utc();
        let small = |number: u32| u8::try_from(number).unwrap_or(0);
        (
            time.year(),
            [small(time.month()), small(time.day()), small(time.hour()), small(time.minute()), small(time.second())],
        )
    }

    fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Returns the first timestamp of the year that is `years` later.
    pub(crate) fn start_of_year(self, years: i32) -> Self {
        let year = self.utc().year().saturating_add(years);
        Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).single().map_or(self, |start| Self(start.timestamp_millis()))
    }

    /// Parses the date-time of a request: with or without fraction, with any offset; UTC without an offset.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // An unescaped plus sign arrives as a space.
        let text = text.trim().replace(' ', "+");
        for format in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"] {
            if let Ok(moment) = DateTime::parse_from_str(&text, format) {
                return Some(Self(moment.timestamp_millis()));
            }
        }
        if let Ok(moment) = DateTime::parse_from_rfc3339(&text) {
            return Some(Self(moment.timestamp_millis()));
        }
        NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f")
            .ok()
            .map(|moment| Self(moment.and_utc().timestamp_millis()))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let millis = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Self(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(stamp: Timestamp) -> Self {
        SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(stamp.0).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn parses_date_times_in_every_notation() {
        let expected = Some(Timestamp(1_688_169_600_000));
        for text in [
            "2023-07-01T00:00:00.000+00:00",
            "2023-07-01T00:00:00.000 00:00",
            "2023-07-01T02:00:00+0200",
            "2023-07-01T00:00:00Z",
            "2023-07-01T00:00:00.000000000Z",
            "2023-07-01T00:00:00",
        ] {
            assert_eq!(Timestamp::parse(text), expected, "{text}");
        }
        assert_eq!(Timestamp::parse("yesterday"), None);
        assert_eq!(expected.map(Timestamp::to_rfc3339).as_deref(), Some("2023-07-01T00:00:00.000+00:00"));
    }
}
