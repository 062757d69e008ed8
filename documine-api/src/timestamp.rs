//! Points in time as the service writes them.

use std::convert::Infallible;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde::ser::Error as _;
use serde_json::Value;

/// A point in time, kept as it came, so that nothing is lost when an answer is stored and read again.
///
/// Reading a text or a number never fails: services change how they write times. [`to_system_time`](Self::to_system_time) tells the instant
/// where the text means one; it takes an offset with or without a colon, `Z`, up to nanoseconds, and takes a text without an
/// offset as UTC. Two texts of the same instant are not equal; compare instants for that.
///
/// A JSON number counts seconds since 1970, or milliseconds from 10¹¹ on (in seconds that would be the year 5138). A JSON array holds year,
/// month, day, hour, minute, second and nanosecond in UTC, of which those after the day may be missing. Both are written again as they came.
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timestamp {
    text: String,
    /// Whether `text` is the JSON of a number or an array.
    is_json: bool,
}

/// The first number that counts milliseconds, and the first that is neither.
const MILLISECONDS: i64 = 100_000_000_000;
const TOO_LARGE: i64 = MILLISECONDS * 1000;

impl Timestamp {
    /// The text, as it came; of a number or an array its JSON.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The instant it means, if it means one.
    pub fn to_system_time(&self) -> Option<SystemTime> {
        if self.is_json {
            return instant_of(&serde_json::from_str(&self.text).ok()?);
        }
        let text = self.text.trim();
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
        Self::from(time.to_rfc3339_opts(SecondsFormat::Millis, false))
    }
}

/// The instant so many seconds and nanoseconds after 1970 began; `None` where the system's clock does not reach.
fn instant(seconds: i64, nanos: u32) -> Option<SystemTime> {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let second = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    second?.checked_add(Duration::from_nanos(nanos.into()))
}

/// The instant that a JSON number or array means.
fn instant_of(value: &Value) -> Option<SystemTime> {
    match value {
        Value::Array(fields) => {
            let field = |index: usize| match fields.get(index) {
                Some(value) => value.as_u64().and_then(|value| u32::try_from(value).ok()),
                None => Some(0),
            };
            let year = fields.first()?.as_i64().and_then(|year| i32::try_from(year).ok())?;
            let date = NaiveDate::from_ymd_opt(year, field(1)?, field(2)?)?;
            let time = date.and_hms_nano_opt(field(3)?, field(4)?, field(5)?, field(6)?)?.and_utc();
            instant(time.timestamp(), time.timestamp_subsec_nanos()).filter(|_| fields.len() <= 7)
        }
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(seconds), _) if seconds.abs() < MILLISECONDS => instant(seconds, 0),
            (Some(millis), _) if millis.abs() < TOO_LARGE => {
                let time = DateTime::from_timestamp_millis(millis)?;
                instant(time.timestamp(), time.timestamp_subsec_nanos())
            }
            // Seconds with a fraction.
            #[allow(clippy::cast_precision_loss, reason = "the limit is exact")]
            (None, Some(seconds)) if seconds.abs() < MILLISECONDS as f64 => {
                let distance = Duration::try_from_secs_f64(seconds.abs()).ok()?;
                if seconds < 0.0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
            }
            _ => None,
        },
        _ => None,
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self::from_system_time(time)
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self::from(String::from(text))
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self { text, is_json: false }
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
        f.pad(&self.text)
    }
}

impl AsRef<str> for Timestamp {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimestampVisitor)
    }
}

struct TimestampVisitor;

impl<'de> serde::de::Visitor<'de> for TimestampVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Timestamp, E> {
        Ok(Timestamp::from(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Timestamp, E> {
        Ok(Timestamp::from(text))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Timestamp, E> {
        Ok(Timestamp { text: number.to_string(), is_json: true })
    }

    fn visit_u64<E>(self, number: u64) -> Result<Timestamp, E> {
        Ok(Timestamp { text: number.to_string(), is_json: true })
    }

    fn visit_f64<E>(self, number: f64) -> Result<Timestamp, E> {
        Ok(Timestamp { text: Value::from(number).to_string(), is_json: true })
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut access: A) -> Result<Timestamp, A::Error> {
        let mut fields: Vec<i64> = Vec::new();
        while let Some(field) = access.next_element()? {
            if fields.len() == 7 {
                return Err(serde::de::Error::invalid_length(fields.len() + 1, &"at most 7 fields of a point in time"));
            }
            fields.push(field);
        }
        Ok(Timestamp { text: Value::from(fields).to_string(), is_json: true })
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_json {
            let value: Value = serde_json::from_str(&self.text).map_err(S::Error::custom)?;
            return value.serialize(serializer);
        }
        serializer.serialize_str(&self.text)
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
    fn numbers_and_arrays_mean_instants_and_are_written_as_they_came() {
        for (json, instant) in [
            ("1579755367", Some(1_579_755_367.0)),
            ("1579755367250", Some(1_579_755_367.25)),
            ("1579755367.25", Some(1_579_755_367.25)),
            ("[2020,1,23,4,56,7]", Some(1_579_755_367.0)),
            ("[2020,1,23,4,56,7,250000000]", Some(1_579_755_367.25)),
            ("[2020,1,23,4,56]", Some(1_579_755_360.0)),
            ("[2020,1,23]", Some(1_579_737_600.0)),
            ("0", Some(0.0)),
            ("1e300", None),
            ("18446744073709551615", None),
            ("[]", None),
            ("[2020,13,1]", None),
            ("[2020,-1,1]", None),
        ] {
            let time: Timestamp = serde_json::from_str(json).expect("reads");
            let since = time.to_system_time().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
            assert_eq!(since.map(|since| since.as_secs_f64()), instant, "{json}");
            let (written, came): (serde_json::Value, serde_json::Value) =
                (serde_json::to_value(&time).expect("writes"), serde_json::from_str(json).expect("is JSON"));
            assert_eq!(written, came, "{json}");
        }
        for json in ["true", "null", "{}", r#"["2020"]"#, "[1,1,1,1,1,1,1,1]"] {
            assert!(serde_json::from_str::<Timestamp>(json).is_err(), "{json}");
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
