//! Converts dates in the notations of documents to `YYYY-MM-DD`.

use crate::extract::text::in_ascii;

/// The order of day and month in a date of three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Not stated: `03/04/2024` is ambiguous.
    Unknown,
    /// `03/04/2024` is 3 April.
    DayFirst,
    /// `03/04/2024` is 4 March.
    MonthFirst,
}

/// Converts a date, if it is unambiguous and the day exists.
pub(super) fn iso(text: &str, order: Order) -> Option<String> {
    let text = in_ascii(text);
    let date = without_weekday(without_time(text.trim())?);
    let (year, month, day) = year_first(date).or_else(|| numeric(date, order)).or_else(|| worded(date))?;
    let exists = (1..=12).contains(&month) && (1..=days(year, month)).contains(&day);
    exists.then(|| format!("{year:04}-{month:02}-{day:02}"))
}

type Date = (u32, u32, u32);

/// Removes a time of day and a zone: `T10:30:00Z`, ` 10:30`, `, at 10:30 am (CET)`, and the zone of an `xs:date` (`2024-03-12+02:00`).
fn without_time(text: &str) -> Option<&str> {
    let Some(colon) = text.find(':') else {
        // Only a date in digits can have the suffix for UTC.
        return Some(text.strip_suffix(['Z', 'z']).filter(|date| year_first(date).is_some()).unwrap_or(text));
    };
    let (mark_at, mark) = text[..colon].char_indices().rfind(|(_, c)| !c.is_ascii_digit())?;
    let (front, tail) = (&text[..mark_at], &text[mark_at + mark.len_utf8()..]);
    match mark {
        '+' | '-' if is_offset(tail) && year_first(front).is_some() => Some(front),
        'T' | 't' | ' ' | ',' if is_time(tail) => {
            let front = front.trim_end_matches([' ', ',']);
            let at = front.len().checked_sub(3).filter(|at| front.is_char_boundary(*at));
            let word = at.map_or("", |at| &front[at..]);
            Some(if word.eq_ignore_ascii_case(" at") { front[..front.len() - 3].trim_end_matches(',') } else { front })
        }
        _ => None,
    }
}

/// Removes a leading weekday.
fn without_weekday(date: &str) -> &str {
    match date.split_once([' ', ',']) {
        Some((first, rest)) if is_weekday(first.trim_end_matches('.')) => rest.trim_start_matches([' ', ',']),
        _ => date,
    }
}

/// Returns whether a text is a time: `10:30`, `10:30:00.000`, with am or pm, an offset and a zone name.
fn is_time(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.' | ',')).unwrap_or(text.len());
    let mut parts = text[..end].trim_end_matches(['.', ',']).splitn(3, ':');
    let (Some(hour), Some(minute)) = (parts.next(), parts.next()) else { return false };
    let mut second = parts.next().map(|second| second.split(['.', ',']));
    let second_fits = second.as_mut().is_none_or(|parts| {
        parts.next().and_then(|second| digits(second, 2..=2)).is_some_and(|second| second <= 60)
            && parts.next().is_none_or(|fraction| fraction.bytes().all(|byte| byte.is_ascii_digit()))
            && parts.next().is_none()
    });
    let fits =
        digits(hour, 1..=2).is_some_and(|hour| hour <= 24) && digits(minute, 2..=2).is_some_and(|minute| minute < 60);
    fits && second_fits
        && text[end..].replace(['(', ')', '[', ']'], " ").split(' ').filter(|word| !word.is_empty()).all(is_zone)
}

/// Returns whether a word is part of a zone: `am`, `Z`, `CET`, `+02:00`, `GMT+2`, `Europe/Berlin`.
fn is_zone(word: &str) -> bool {
    let (name, offset) = word.split_at(word.find(['+', '-']).unwrap_or(word.len()));
    let named = name.len() <= 5 && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.')
        || name.split_once('/').is_some_and(|(area, city)| {
            [area, city]
                .iter()
                .all(|part| part.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'/'))
        });
    named && (offset.is_empty() || is_offset(&offset[1..]))
}

/// Returns whether a text is an offset: `02:00`, `0200`, `2`.
fn is_offset(text: &str) -> bool {
    let bare = text.replacen(':', "", 1);
    digits(&bare, 1..=4).is_some_and(|offset| offset <= 1400)
}

/// Parses `2024-03-12`, `2024/3/12`, `2024.03.12` and `20240312`.
fn year_first(text: &str) -> Option<Date> {
    if let Some(compact) = digits(text, 8..=8) {
        return Some((compact / 10_000, compact / 100 % 100, compact % 100));
    }
    let [year, month, day] = numbers(text)?;
    let least = if text.contains('-') { 2 } else { 1 };
    Some((digits(year, 4..=4)?, digits(month, least..=2)?, digits(day, least..=2)?))
}

/// Parses `12/03/2024`, `12-03-2024` and `12.03.2024`.
///
/// With points the day comes first; otherwise one number must exceed 12, or the order must be stated.
fn numeric(text: &str, order: Order) -> Option<Date> {
    let [a, b, year] = numbers(text)?;
    let (a, b, year) = (digits(a, 1..=2)?, digits(b, 1..=2)?, digits(year, 4..=4)?);
    let (day, month) = match (a > 12, b > 12, order) {
        (false, true, _) if !text.contains('.') || order == Order::MonthFirst => (b, a),
        (true, false, _) | (_, _, Order::DayFirst) => (a, b),
        (_, _, Order::MonthFirst) => (b, a),
        (_, _, Order::Unknown) if a == b || text.contains('.') => (a, b),
        (_, _, Order::Unknown) => return None,
    };
    Some((year, month, day))
}

/// Splits a text into three numbers with the same separator.
fn numbers(text: &str) -> Option<[&str; 3]> {
    let mark =
        text.chars().find(|c| !c.is_ascii_digit() && *c != ' ').filter(|mark| matches!(mark, '-' | '/' | '.'))?;
    // `2024. 3. 12.`
    let text = if mark == '.' { text.strip_suffix('.').unwrap_or(text) } else { text };
    let mut parts = text.split(mark).map(|part| part.trim_matches(' '));
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

/// Parses day, month name and year in any unambiguous order.
fn worded(text: &str) -> Option<Date> {
    let mut words: Vec<&str> = text
        .split([' ', '\t', '\n', '\r', ',', '.', '-', '/'])
        .filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("of") && !word.eq_ignore_ascii_case("the"))
        .collect();
    // `12 th March`: superscripts are separate words in the text of a PDF.
    if let Some(at) = (1..words.len()).find(|at| is_ordinal(words[*at]) && digits(words[*at - 1], 1..=2).is_some()) {
        words.remove(at);
    }
    let year = |word| digits(word, 4..=4);
    match words[..] {
        [a, b, c] => {
            if let Some(month) = month(a) {
                Some((year(c)?, month, day(b)?))
            } else if let Some(year) = year(a) {
                Some((year, month(b)?, day(c)?))
            } else {
                Some((year(c)?, month(b)?, day(a)?))
            }
        }
        // `12MAR2024`
        [word] => {
            let name = word.find(|c: char| !c.is_ascii_digit())?;
            let last = word.rfind(|c: char| !c.is_ascii_digit())? + 1;
            Some((year(word.get(last..)?)?, month(word.get(name..last)?)?, day(&word[..name])?))
        }
        _ => None,
    }
}

fn is_weekday(word: &str) -> bool {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let word = word.to_ascii_lowercase();
    word.len() >= 3 && DAYS.iter().any(|day| *day == word || (word.len() <= 5 && day.starts_with(&word)))
}

fn day(word: &str) -> Option<u32> {
    let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let (number, ending) = word.split_at(end);
    if ending.is_empty() || is_ordinal(ending) { digits(number, 1..=2) } else { None }
}

fn is_ordinal(ending: &str) -> bool {
    ["st", "nd", "rd", "th"].iter().any(|known| ending.eq_ignore_ascii_case(known))
}

fn month(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.to_ascii_lowercase();
    let index = MONTHS.iter().position(|month| {
        *month == word || (word.len() == 3 && month.starts_with(&word)) || (word == "sept" && *month == "september")
    })?;
    u32::try_from(index + 1).ok()
}

fn digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<u32> {
    (lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, iso};

    #[test]
    fn reads_common_date_notations() {
        for text in [
            "2024-03-12",
            "2024-03-12T10:00:00Z",
            "2024-03-12T10:00:00.000+00:00",
            "2024-03-12 10:00",
            "2024-03-12Z",
            "2024-03-12+02:00",
            "2024-03-12-05:00",
            "2024/03/12",
            "2024.03.12",
            "2024. 3. 12.",
            "20240312",
            "2024-Mar-12",
            "2024 March 12",
            "12 March 2024",
            " 12 march 2024 ",
            "12\u{a0}March\u{a0}2024",
            "12 Mar 2024",
            "12. March 2024",
            "12 Mar. 2024",
            "12th March 2024",
            "12TH MARCH 2024",
            "12 th March 2024",
            "March 12 th, 2024",
            "Tuesday, 12.03.2024",
            "Tue 2024-03-12",
            "12 March 2024 10:30.",
            "12 March 2024 10:30, CET",
            "12Th March 2024",
            "12th of March, 2024",
            "12TH OF MARCH 2024",
            "the 12th of March 2024",
            "March 12, 2024",
            "MARCH 12TH, 2024",
            "March the 12th, 2024",
            "Mar 12 2024",
            "12-MAR-2024",
            "12\u{2011}MAR\u{2011}2024",
            "12/Mar/2024",
            "12MAR2024",
            "12.03.2024",
            "12.3.2024",
            "12. 3. 2024",
            "Tuesday, 12 March 2024",
            "Tue, 12 Mar 2024 10:30:00 +0100",
            "Tues. March 12, 2024",
            "12 March 2024 10:30",
            "12 March 2024, 10:30",
            "12 March 2024 at 10:30 a.m.",
            "12 March 2024, at 10:30:15 PM CET",
            "12 March 2024 10:30 (UTC+1)",
            "March 12, 2024 9:05pm",
            "12.03.2024 10:30:00",
            "12.03.2024, 10:30",
        ] {
            assert_eq!(iso(text, Order::Unknown).as_deref(), Some("2024-03-12"), "{text:?}");
        }
        for (text, expected) in [
            ("13/03/2024", "2024-03-13"),
            ("3/13/2024", "2024-03-13"),
            ("13-03-2024", "2024-03-13"),
            ("13/03/2024 10:30", "2024-03-13"),
            ("3/3/2024", "2024-03-03"),
            ("29 February 2024", "2024-02-29"),
            ("Sept 1, 2024", "2024-09-01"),
            ("1ST OF MAY 2024", "2024-05-01"),
            ("2ND MAY 2024", "2024-05-02"),
            ("3RD MAY 2024", "2024-05-03"),
        ] {
            assert_eq!(iso(text, Order::Unknown).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn stated_order_resolves_ambiguous_dates() {
        for (text, day_first, month_first) in [
            ("03/04/2024", "2024-04-03", "2024-03-04"),
            ("3/4/2024", "2024-04-03", "2024-03-04"),
            ("03-04-2024", "2024-04-03", "2024-03-04"),
            ("03.04.2024", "2024-04-03", "2024-03-04"),
            ("03/04/2024 10:30", "2024-04-03", "2024-03-04"),
            ("13/03/2024", "2024-03-13", "2024-03-13"),
            ("03/13/2024", "2024-03-13", "2024-03-13"),
            ("03 / 04 / 2024", "2024-04-03", "2024-03-04"),
            ("2024-03-04", "2024-03-04", "2024-03-04"),
            ("4 March 2024", "2024-03-04", "2024-03-04"),
        ] {
            assert_eq!(iso(text, Order::DayFirst).as_deref(), Some(day_first), "{text:?}");
            assert_eq!(iso(text, Order::MonthFirst).as_deref(), Some(month_first), "{text:?}");
        }
        for text in ["13/13/2024", "31/04/2024", "0/1/2024", "03/04/24"] {
            assert_eq!(iso(text, Order::DayFirst), None, "{text:?}");
            assert_eq!(iso(text, Order::MonthFirst), None, "{text:?}");
        }
    }

    #[test]
    fn rejects_invalid_and_ambiguous_dates() {
        for text in [
            "",
            "soon",
            "2024",
            "March 2024",
            "03/12/2024",
            "03-12-2024",
            "03.13.2024",
            "31 April 2024",
            "29 February 2023",
            "29 February 1900",
            "0 May 2024",
            "12 March 24",
            "2024-13-01",
            "2024-3-1",
            "2024-03-12x",
            "2024-03-12T",
            "2024-03-12 or so",
            "2024-03/12",
            "20241301",
            "12 Mars 2024",
            "12 März 2024",
            "12 March 2024 or so",
            "12 March 2024 25:00",
            "12 March 2024 10:61",
            "12 March 2024 10:30 to 11:30",
            "12 March 2024 10:30 - 13 March 2024",
            "12xx March 2024",
            "Tuesday",
            "10:30",
            "1/2/3/2024",
            "é2024-03-1",
            "12 März 2024 10:30",
            ":",
        ] {
            assert_eq!(iso(text, Order::Unknown), None, "{text:?}");
        }
    }

    #[test]
    fn never_panics() {
        let pieces = ["12", "2024", "MAR", "th", ":", "-", "/", ".", " ", "é", "T", "Z", "+", "at", ",", "("];
        for seed in 0..200_000_usize {
            let text: String = (0..6).map(|index| pieces[(seed >> (index * 3)) % pieces.len()]).collect();
            for order in [Order::Unknown, Order::DayFirst, Order::MonthFirst] {
                if let Some(date) = iso(&text, order) {
                    assert_eq!(date.len(), 10, "{text:?}");
                }
            }
        }
    }
}
