//! Points in time as the service writes them.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde_json::Value;

/// A point in time, kept as the JSON it came as, so that nothing is lost when an answer is stored and read again.
///
/// Reading one fails at `null` only: services change how they write times. [`to_system_time`](Self::to_system_time) gives the instant where
/// the value means one:
///
/// - a text: ISO 8601 with an offset (with or without a colon), `Z` or none (then UTC), up to nanoseconds, perhaps with a zone in brackets behind
///   it; an RFC 2822 date; nine or more digits as a number;
/// - a number: seconds, milliseconds, microseconds or nanoseconds since 1970, by its size;
/// - a list `[year, month, day, hour, minute, second, nanosecond]` in UTC, complete from the day on or not;
/// - an object with `epochSecond` (or `seconds`) and `nano` (or `nanos`).
///
/// Two spellings of the same instant are not equal; compare instants for that.
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
pub struct Timestamp(Form);

/// As large as a `String` alone: models hold many times.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Form {
    Text(String),
    /// Another JSON value, written.
    Json(Box<str>),
}

/// Numbers from here on are milliseconds since 1970, a thousand times as large ones microseconds, and so on. As seconds it is the year 5138.
const LEAST_MILLISECONDS: u128 = 100_000_000_000;
/// The last second of the year 9999: larger numbers are no time.
const LAST_SECOND: u64 = 253_402_300_799;
/// A text of fewer digits may be a date (`20200123`).
const LEAST_DIGITS: usize = 9;

impl Timestamp {
    /// Returns the text, or the JSON of another value, as it came.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Text(text) => text,
            Form::Json(json) => json,
        }
    }

    /// The instant it means, if it means one.
    pub fn to_system_time(&self) -> Option<SystemTime> {
        let text = match &self.0 {
            Form::Text(text) => text.trim(),
            Form::Json(json) => return of_json(&serde_json::from_str(json).ok()?),
        };
        let digits = text.trim_start_matches('-').chars().take_while(char::is_ascii_digit).count();
        if digits >= LEAST_DIGITS
            && let Some(instant) = of_number(text)
        {
            return Some(instant);
        }
        if let Ok(time) = DateTime::parse_from_rfc2822(text) {
            return instant(time.timestamp(), time.timestamp_subsec_nanos());
        }
        // `…+01:00[Europe/Berlin]`: the offset says it already. ISO 8601 allows a comma before the fraction.
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

/// The instant that a JSON value other than a text means.
fn of_json(value: &Value) -> Option<SystemTime> {
    match value {
        Value::Number(number) => of_number(&number.to_string()),
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

/// The instant so many seconds, or smaller units where the number is large, after 1970 began. Digits are read as they are: a float has too few.
fn of_number(text: &str) -> Option<SystemTime> {
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
    let steps = (0..3).take_while(|step| whole >= LEAST_MILLISECONDS * 1000_u128.pow(*step)).count();
    let nanos_in_unit = 1_000_000_000_i128 / 1000_i128.pow(u32::try_from(steps).ok()?);
    let billionths: i128 = format!("{fraction:0<9.9}").parse().ok()?;
    let nanos = sign
        * i128::try_from(whole)
            .ok()?
            .checked_mul(nanos_in_unit)?
            .checked_add(billionths * nanos_in_unit / 1_000_000_000)?;
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok().filter(|it| it.unsigned_abs() <= LAST_SECOND)?;
    instant(seconds, u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?)
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
        Self::from(String::from(text))
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self(Form::Text(text))
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
            Form::Text(text) => serializer.serialize_str(text),
            Form::Json(json) => {
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
            other => Ok(Self(Form::Json(other.to_string().into()))),
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
    fn a_text_that_means_no_instant_is_kept() {
        for text in ["", "soon", "2020-13-01T00:00:00Z", "20200123", "12", "1579755367 s"] {
            let time = Timestamp::from(text);
            assert_eq!(time.to_system_time(), None, "{text}");
            assert_eq!(time.as_str(), text);
        }
    }

    #[test]
    fn reads_what_java_writes_for_a_time_and_writes_it_back() {
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
    fn reads_any_json_but_null() {
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
        serde_json::from_str::<Timestamp>("null").expect_err("no time");
        let before: Timestamp = serde_json::from_str("-1.5").expect("a number");
        assert_eq!(before.to_system_time(), Some(SystemTime::UNIX_EPOCH - Duration::from_millis(1500)));
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
