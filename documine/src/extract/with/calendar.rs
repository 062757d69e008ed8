//! Dates as people write them, as `YYYY-MM-DD`.

/// The date, if the text has one reading and the day exists.
pub(super) fn iso(text: &str) -> Option<String> {
    let text = text.trim();
    let (year, month, day) =
        machine(text).or_else(|| slashed(text)).or_else(|| dotted(text)).or_else(|| worded(text))?;
    let exists = (1..=12).contains(&month) && (1..=days(year, month)).contains(&day);
    exists.then(|| format!("{year:04}-{month:02}-{day:02}"))
}

type Date = (u32, u32, u32);

/// `2024-03-12`, alone or before a time of day.
fn machine(text: &str) -> Option<Date> {
    let (date, rest) = text.split_at_checked(10)?;
    if !(rest.is_empty() || rest.starts_with(['T', 't', ' '])) {
        return None;
    }
    let mut parts = date.split('-');
    let date = (digits(parts.next()?, 4..=4)?, digits(parts.next()?, 2..=2)?, digits(parts.next()?, 2..=2)?);
    parts.next().is_none().then_some(date)
}

/// `13/03/2024` or `03/13/2024`, but nothing that could be either.
fn slashed(text: &str) -> Option<Date> {
    let mut parts = text.split('/');
    let (a, b, year) = (digits(parts.next()?, 1..=2)?, digits(parts.next()?, 1..=2)?, digits(parts.next()?, 4..=4)?);
    if parts.next().is_some() {
        return None;
    }
    match (a > 12, b > 12) {
        (true, false) => Some((year, b, a)),
        (false, true) => Some((year, a, b)),
        _ if a == b => Some((year, a, b)),
        _ => None,
    }
}

/// `12.03.2024`
fn dotted(text: &str) -> Option<Date> {
    let mut parts = text.split('.').map(str::trim);
    let (day, month, year) =
        (digits(parts.next()?, 1..=2)?, digits(parts.next()?, 1..=2)?, digits(parts.next()?, 4..=4)?);
    parts.next().is_none().then_some((year, month, day))
}

/// Day, month in letters and year, or month, day and year.
fn worded(text: &str) -> Option<Date> {
    let mut words =
        text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | '-')).filter(|word| !word.is_empty());
    let first = words.next()?;
    let mut second = words.next()?;
    if second.eq_ignore_ascii_case("of") {
        second = words.next()?;
    }
    let year = digits(words.next()?, 4..=4)?;
    if words.next().is_some() {
        return None;
    }
    match month(first) {
        Some(month) => Some((year, month, day(second)?)),
        None => Some((year, month(second)?, day(first)?)),
    }
}

fn day(word: &str) -> Option<u32> {
    let bare = ["st", "nd", "rd", "th"].iter().find_map(|ending| word.strip_suffix(ending)).unwrap_or(word);
    digits(bare, 1..=2)
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
    use super::iso;

    #[test]
    fn dates_as_people_write_them() {
        for text in [
            "2024-03-12",
            "2024-03-12T10:00:00Z",
            "2024-03-12 10:00",
            "12 March 2024",
            " 12 march 2024 ",
            "12 Mar 2024",
            "12. March 2024",
            "12 Mar. 2024",
            "12th March 2024",
            "12th of March, 2024",
            "March 12, 2024",
            "Mar 12 2024",
            "12-MAR-2024",
            "12.03.2024",
            "12.3.2024",
        ] {
            assert_eq!(iso(text).as_deref(), Some("2024-03-12"), "{text:?}");
        }
        assert_eq!(iso("13/03/2024").as_deref(), Some("2024-03-13"));
        assert_eq!(iso("3/13/2024").as_deref(), Some("2024-03-13"));
        assert_eq!(iso("3/3/2024").as_deref(), Some("2024-03-03"));
        assert_eq!(iso("29 February 2024").as_deref(), Some("2024-02-29"));
        assert_eq!(iso("Sept 1, 2024").as_deref(), Some("2024-09-01"));
    }

    #[test]
    fn what_is_no_date_or_could_be_two() {
        for text in [
            "",
            "soon",
            "2024",
            "March 2024",
            "03/12/2024",
            "31 April 2024",
            "29 February 2023",
            "29 February 1900",
            "0 May 2024",
            "12 March 24",
            "2024-13-01",
            "2024-03-12x",
            "12 Mars 2024",
            "12 März 2024",
            "12 March 2024 or so",
            "1/2/3/2024",
            "é2024-03-1",
        ] {
            assert_eq!(iso(text), None, "{text:?}");
        }
    }
}
