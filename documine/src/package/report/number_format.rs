//! Number formats, which distinguish dates from numbers (ECMA-376 part 1, 18.8.30 and 18.8.31), and date serial numbers (18.17.4).

/// The kind of value as which a number is displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum NumberFormat {
    #[default]
    Number,
    Date,
    /// A duration, which may exceed one day.
    Duration,
}

impl NumberFormat {
    /// Returns a built-in format by its number.
    pub(super) fn built_in(id: u32) -> Self {
        match id {
            14..=22 | 27..=36 | 45 | 47 | 50..=58 => Self::Date,
            46 => Self::Duration,
            _ => Self::Number,
        }
    }

    /// Parses a format code, `dd.mm.yyyy`. Only the first section is used, which applies to positive numbers.
    pub(super) fn of_code(code: &str) -> Self {
        let mut chars = code.chars();
        while let Some(ch) = chars.next() {
            match ch.to_ascii_lowercase() {
                '"' => while chars.next().is_some_and(|ch| ch != '"') {},
                // The next character is literal, or only its width counts.
                '\\' | '_' | '*' => drop(chars.next()),
                '[' => {
                    let inside: String = chars.by_ref().take_while(|ch| *ch != ']').collect();
                    let inside = inside.to_ascii_lowercase();
                    let counts = |unit: char| !inside.is_empty() && inside.chars().all(|ch| ch == unit);
                    if ['h', 'm', 's'].into_iter().any(counts) {
                        return Self::Duration;
                    }
                }
                ';' => break,
                'g' if chars.as_str().get(..6).is_some_and(|rest| rest.eq_ignore_ascii_case("eneral")) => {
                    chars = chars.as_str().get(6..).unwrap_or_default().chars();
                }
                // `e` is ignored: an East Asian year, or an exponent after a digit.
                'd' | 'm' | 'h' | 'y' | 's' => return Self::Date,
                _ => {}
            }
        }
        Self::Number
    }
}

/// Converts a serial number to a date and time in ISO 8601. Returns `None` if the number is not a date.
pub(super) fn date_time(serial: f64, from_1904: bool) -> Option<String> {
    const DAY: u64 = 86_400_000;
    /// Days from 1970-01-01 to 1904-01-01 and to 1899-12-30.
    const EPOCHS: [i64; 2] = [-24_107, -25_569];
    /// The day after 9999-12-31.
    const ENDS: [f64; 2] = [2_957_004.0, 2_958_466.0];
    let [(epoch, end), (epoch_1900, end_1900)] = [(EPOCHS[0], ENDS[0]), (EPOCHS[1], ENDS[1])];
    let (epoch, end) = if from_1904 { (epoch, end) } else { (epoch_1900, end_1900) };
    if !(0.0..end).contains(&serial) {
        return None;
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "bounded above"
    )]
    let moment = (serial * DAY as f64).round() as u64;
    let (day, time) = (moment / DAY, moment % DAY);
    let (year, month, date) = match (from_1904, i64::try_from(day).ok()?) {
        // Spreadsheets treat 1900 as a leap year.
        (false, 60) => (1900, 2, 29),
        (false, day @ ..60) => civil(epoch + day + 1),
        (_, day) => civil(epoch + day),
    };
    let (hour, minute, second, milli) = (time / 3_600_000, time / 60_000 % 60, time / 1000 % 60, time % 1000);
    Some(format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}"))
}

/// Converts days since 1970-01-01 to year, month and day (Howard Hinnant, `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + era * 400 + i64::from(month <= 2), month, of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinguishes_dates_and_durations_from_numbers() {
        for code in
            ["dd.mm.yyyy", "H:MM:SS;@", "[$-407]d. mmmm yyyy", "yyyy\\-mm\\-dd", "mmss.0", "[Red]d/m/yy", "General\\ d"]
        {
            assert_eq!(NumberFormat::of_code(code), NumberFormat::Date, "{code}");
        }
        for code in ["[h]:mm:ss", "[mm]:ss", "[ss].00", "[HH]:MM"] {
            assert_eq!(NumberFormat::of_code(code), NumberFormat::Duration, "{code}");
        }
        for code in [
            "General",
            "GENERAL",
            "#,##0.00",
            "0.00E+00",
            "#,##0 \"days\"",
            "0\\d",
            "_d0",
            "*m0",
            "[$\u{20bd}-419]#,##0",
            "[Red]0",
            "0;d",
            "",
            "\"open",
            "[",
            "\\",
        ] {
            assert_eq!(NumberFormat::of_code(code), NumberFormat::Number, "{code}");
        }
        assert_eq!(NumberFormat::built_in(14), NumberFormat::Date);
        assert_eq!(NumberFormat::built_in(46), NumberFormat::Duration);
        assert_eq!(NumberFormat::built_in(4), NumberFormat::Number);
    }

    #[test]
    fn converts_serial_numbers_to_dates() {
        for (serial, from_1904, date) in [
            (0.5, false, "1899-12-31T12:00:00.000"),
            (1.0, false, "1900-01-01T00:00:00.000"),
            (59.0, false, "1900-02-28T00:00:00.000"),
            (60.0, false, "1900-02-29T00:00:00.000"),
            (61.0, false, "1900-03-01T00:00:00.000"),
            (36_161.0, false, "1999-01-01T00:00:00.000"),
            (45_363.999_999_999_9, false, "2024-03-13T00:00:00.000"),
            (45_363.25, false, "2024-03-12T06:00:00.000"),
            (2_958_465.0, false, "9999-12-31T00:00:00.000"),
            (0.0, true, "1904-01-01T00:00:00.000"),
            (43_901.25, true, "2024-03-12T06:00:00.000"),
        ] {
            assert_eq!(date_time(serial, from_1904).as_deref(), Some(date), "{serial}");
        }
        for serial in [-1.0, 2_958_466.0, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(date_time(serial, false), None, "{serial}");
        }
    }
}
