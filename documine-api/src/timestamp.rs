//! Points in time in the spelling of the service.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde_json::Value;

/// A point in time, kept as the JSON value of the response, so that storing and rereading a response loses nothing.
///
/// Reading fails for `null` only, because services change their spelling of times. [`to_system_time`](Self::to_system_time)
/// supports these spellings:
///
/// - a string: ISO 8601 up to nanoseconds with an offset (with or without a colon), `Z` or none (UTC), optionally followed by a
///   zone in brackets; an RFC 2822 date; nine or more digits, read as a number;
/// - a number: seconds, milliseconds, microseconds or nanoseconds since 1970, depending on the magnitude;
/// - a list `[year, month, day, hour, minute, second, nanosecond]` in UTC, of which all after the day may be missing;
/// - an object with `epochSecond` (or `seconds`) and `nano` (or `nanos`).
///
/// Two spellings of the same instant are not equal; compare the instants instead.
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
pub struct Timestamp(TimestampForm);

/// As large as a `String`, because models contain many timestamps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum TimestampForm {
    Text(String),
    /// The JSON text of another value.
    Json(Box<str>),
}

/// The smallest number read as milliseconds (as seconds: the year 5138); a thousand times as much means microseconds, and so on.
const MIN_MILLISECONDS: u128 = 100_000_000_000;
/// The last second of the year 9999, the largest supported time.
const MAX_SECOND: u64 = 253_402_300_799;
/// The minimum number of digits of a numeric string; fewer digits may be a date (`20200123`).
const MIN_DIGITS: usize = 9;

impl Timestamp {
    /// Returns the string, or the JSON text of another value.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            TimestampForm::Text(text) => text,
            TimestampForm::Json(json) => json,
        }
    }

    /// Returns the instant; `None` if the value has no supported spelling.
    pub fn to_system_time(&self) -> Option<SystemTime> {
        let text = match &self.0 {
            TimestampForm::Text(text) => text.trim(),
            TimestampForm::Json(json) => return instant_from_json(&serde_json::from_str(json).ok()?),
        };
        let digits = text.trim_start_matches('-').chars().take_while(char::is_ascii_digit).count();
        if digits >= MIN_DIGITS
            && let Some(instant) = instant_from_number(text)
        {
            return Some(instant);
        }
        if let Ok(time) = DateTime::parse_from_rfc2822(text) {
            return instant(time.timestamp(), time.timestamp_subsec_nanos());
        }
        // The offset makes the zone in `…+01:00[Europe/Berlin]` redundant. ISO 8601 allows a comma before the fraction.
        let text = text.split('[').next().unwrap_or_default().replace(',', ".");
        let text = text.as_str();
        for form in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y%m%dT%H%M%S%.f%#z"] {
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

    /// Converts an instant to the spelling of the service: UTC, milliseconds, numeric offset. Out-of-range instants are clamped.
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

/// Returns the instant of a JSON value other than a string.
fn instant_from_json(value: &Value) -> Option<SystemTime> {
    match value {
        Value::Number(number) => instant_from_number(&number.to_string()),
        Value::Array(parts) => {
            let part =
                |at: usize| parts.get(at).map_or(Some(0), Value::as_u64).and_then(|part| u32::try_from(part).ok());
            let year = i32::try_from(parts.first()?.as_i64()?).ok()?;
            let day = NaiveDate::from_ymd_opt(year, part(1)?, parts.get(2).and(part(2))?)?;
            let time = day.and_hms_nano_opt(part(3)?, part(4)?, part(5)?, part(6)?)?.and_utc();
            instant(time.timestamp(), time.timestamp_subsec_nanos())
        }
        Value::Object(object) => {
            let member = |names: [&str; 2]| names.iter().find_map(|name| object.get(*name)?.as_i64());
            let nanos = u32::try_from(member(["nano", "nanos"]).unwrap_or(0)).ok()?;
            instant(member(["epochSecond", "seconds"])?, nanos)
        }
        _ => None,
    }
}

/// Returns the instant of a number since 1970, in a unit that depends on the magnitude. Parses digits, because a float has too few.
fn instant_from_number(text: &str) -> Option<SystemTime> {
    let text = match text.parse::<f64>() {
        Ok(number) if text.contains(['e', 'E']) && number.is_finite() => Cow::Owned(number.to_string()),
        _ => Cow::Borrowed(text),
    };
    let (sign, digits) = text.strip_prefix('-').map_or((1, &*text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit()) {
        return None;
    }
    let whole: u128 = whole.parse().ok()?;
    let steps = (0..3).take_while(|step| whole >= MIN_MILLISECONDS * 1000_u128.pow(*step)).count();
    let nanos_in_unit = 1_000_000_000_i128 / 1000_i128.pow(u32::try_from(steps).ok()?);
    let billionths: i128 = format!("{fraction:0<9.9}").parse().ok()?;
    let nanos = sign
        * i128::try_from(whole)
            .ok()?
            .checked_mul(nanos_in_unit)?
            .checked_add(billionths * nanos_in_unit / 1_000_000_000)?;
    let seconds =
        i64::try_from(nanos.div_euclid(1_000_000_000)).ok().filter(|seconds| seconds.unsigned_abs() <= MAX_SECOND)?;
    instant(seconds, u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?)
}

/// Returns the instant a duration after 1970; `None` outside the range of `SystemTime`.
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
        Self::from(String::from(text))
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self(TimestampForm::Text(text))
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
        f.pad(self.as_str())
    }
}

impl AsRef<str> for Timestamp {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            TimestampForm::Text(text) => serializer.serialize_str(text),
            TimestampForm::Json(json) => {
                serde_json::from_str::<Value>(json).map_err(serde::ser::Error::custom)?.serialize(serializer)
            }
        }
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self::from(text)),
            Value::Null => Err(serde::de::Error::invalid_type(serde::de::Unexpected::Unit, &"a point in time")),
            other => Ok(Self(TimestampForm::Json(other.to_string().into()))),
        }
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
    fn parses_every_supported_spelling() {
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
            "2020-01-23T05:56:07+01:00[Europe/Berlin]",
            "2020-01-23T04:56:07,000Z",
            "20200123T045607Z",
            "Thu, 23 Jan 2020 04:56:07 GMT",
            "1579755367",
            "1579755367000",
            "1579755367.000000000",
        ] {
            assert_eq!(seconds(text), Some(base), "{text}");
        }
        assert_eq!(seconds("2020-01-23T04:56:07.250Z"), Some(base + 0.25));
        assert_eq!(seconds("2020-01-23"), Some(1_579_737_600.0));
    }

    #[test]
    fn keeps_strings_without_an_instant() {
        for text in ["", "soon", "2020-13-01T00:00:00Z", "20200123", "12", "1579755367 s"] {
            let time = Timestamp::from(text);
            assert_eq!(time.to_system_time(), None, "{text}");
            assert_eq!(time.as_str(), text);
        }
    }

    #[test]
    fn reads_and_writes_java_spellings() {
        let base = 1_579_755_367.0;
        for (json, since) in [
            ("1579755367000", base),
            ("1579755367", base),
            ("1579755367.25", base + 0.25),
            ("1579755367250000", base + 0.25),
            ("1579755367250000000", base + 0.25),
            ("0", 0.0),
            ("[2020,1,23,4,56,7]", base),
            ("[2020,1,23,4,56,7,250000000]", base + 0.25),
            ("[2020,1,23,4,56]", base - 7.0),
            ("[2020,1,23]", 1_579_737_600.0),
            (r#"{"epochSecond":1579755367,"nano":250000000}"#, base + 0.25),
            (r#"{"nanos":0,"seconds":1579755367}"#, base),
        ] {
            let time: Timestamp = serde_json::from_str(json).expect(json);
            assert_eq!(time.as_str(), json);
            let found = time.to_system_time().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
            assert_eq!(found.map(|since| since.as_secs_f64()), Some(since), "{json}");
            assert_eq!(serde_json::to_string(&time).expect("writes"), json);
        }
    }

    #[test]
    fn reads_any_json_except_null() {
        for json in [
            "true",
            "[]",
            "[2020]",
            "[2020,1]",
            "[2020,13,1]",
            r#"["a",1,2]"#,
            "{}",
            r#"{"a":1}"#,
            "[2020,1,1,25,0]",
            "1e300",
            "-99999999999999999999999",
        ] {
            let time: Timestamp = serde_json::from_str(json).expect(json);
            assert_eq!(time.to_system_time(), None, "{json}");
        }
        serde_json::from_str::<Timestamp>("null").expect_err("rejected");
        let before: Timestamp = serde_json::from_str("-1.5").expect("a number");
        assert_eq!(before.to_system_time(), Some(SystemTime::UNIX_EPOCH - Duration::from_millis(1500)));
    }

    #[test]
    fn handles_instants_before_1970_and_in_the_year_9999() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_millis(1500);
        let written = Timestamp::from_system_time(before);
        assert_eq!(written.as_str(), "1969-12-31T23:59:58.500+00:00");
        assert_eq!(written.to_system_time(), Some(before));
        assert!(Timestamp::from("9999-12-31T23:59:59Z").to_system_time().is_some());
    }
}
