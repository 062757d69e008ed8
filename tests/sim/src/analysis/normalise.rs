//! Brings a value as it stands in a document into the form that programs want.

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

/// What is done to a value that a rule found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Normaliser {
    /// White space at both ends goes, runs of it become one space.
    #[default]
    Trim,
    /// As `trim`, in capital letters.
    Upper,
    /// As `trim`, in small letters.
    Lower,
    /// A day in any usual spelling becomes `2024-03-12`.
    Date,
    /// A number in any usual spelling becomes `1234.50`.
    Number,
    /// A currency sign or code becomes its ISO 4217 code.
    Currency,
}

impl Normaliser {
    /// The value in its new form; `None` if it is nothing of the kind.
    pub(super) fn apply(self, text: &str) -> Option<String> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.trim_end_matches([';', ',']).trim_end();
        if text.is_empty() {
            return None;
        }
        match self {
            Self::Trim => Some(text.to_owned()),
            Self::Upper => Some(text.to_uppercase()),
            Self::Lower => Some(text.to_lowercase()),
            Self::Date => date(text),
            Self::Number => number(text),
            Self::Currency => currency(text),
        }
    }
}

fn date(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let parts: Vec<&str> =
        lower.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    // Words around a day ("on", "the", a weekday) are skipped; three parts that make a day count.
    let day = parts.windows(3).find_map(|window| day_of(window[0], window[1], window[2]))?;
    (1000..=9999).contains(&day.year()).then(|| day.format("%Y-%m-%d").to_string())
}

fn day_of(first: &str, second: &str, third: &str) -> Option<NaiveDate> {
    let number = |text: &str| {
        text.trim_end_matches("st")
            .trim_end_matches("nd")
            .trim_end_matches("rd")
            .trim_end_matches("th")
            .parse::<u32>()
            .ok()
    };
    let year = |text: &str| match (text.len(), text.parse::<i32>().ok()?) {
        (4, year) => Some(year),
        (2, year) => Some(if year < 70 { 2000 + year } else { 1900 + year }),
        _ => None,
    };
    let made = |year: i32, month: u32, day: u32| NaiveDate::from_ymd_opt(year, month, day);
    if first.len() == 4
        && let Some(year) = year(first)
    {
        return made(year, month_of(second).or_else(|| number(second))?, number(third)?);
    }
    if let Some(month) = month_of(second) {
        return made(year(third)?, month, number(first)?);
    }
    if let Some(month) = month_of(first) {
        return made(year(third)?, month, number(second)?);
    }
    // Both are figures: day first, unless only the other order makes a day.
    let (a, b, year) = (number(first)?, number(second)?, year(third)?);
    made(year, b, a).or_else(|| made(year, a, b))
}

fn month_of(name: &str) -> Option<u32> {
    const MONTHS: [&[&str]; 12] = [
        &["january", "januar", "jan", "janvier"],
        &["february", "februar", "feb", "février"],
        &["march", "märz", "mar", "mär", "mars"],
        &["april", "apr", "avril"],
        &["may", "mai"],
        &["june", "juni", "jun", "juin"],
        &["july", "juli", "jul", "juillet"],
        &["august", "aug", "août"],
        &["september", "sep", "sept", "septembre"],
        &["october", "oktober", "oct", "okt", "octobre"],
        &["november", "nov", "novembre"],
        &["december", "dezember", "dec", "dez", "décembre"],
    ];
    MONTHS.iter().position(|names| names.contains(&name)).and_then(|index| u32::try_from(index + 1).ok())
}

fn number(text: &str) -> Option<String> {
    let start = text.find(|letter: char| letter.is_ascii_digit())?;
    let negative = text[..start].trim_end().ends_with(['-', '−']);
    let figures: String = text[start..]
        .chars()
        .take_while(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ',' | '\'' | '’' | ' '))
        .filter(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ','))
        .collect();
    let figures = figures.trim_end_matches(['.', ',']);
    let last = figures.rfind(['.', ',']);
    let decimals = last.map_or(0, |at| figures.len() - at - 1);
    let marks = figures.chars().filter(|letter| !letter.is_ascii_digit()).collect::<Vec<_>>();
    let mixed = marks.iter().any(|mark| Some(mark) != marks.last());
    // The last mark parts off decimals when it differs from the others, or when no group of three follows it.
    let decimal = last.filter(|_| mixed || (marks.len() == 1 && decimals != 3));
    let whole: String = figures[..decimal.unwrap_or(figures.len())].chars().filter(char::is_ascii_digit).collect();
    let whole = whole.trim_start_matches('0');
    let mut number = String::new();
    if negative {
        number.push('-');
    }
    number.push_str(if whole.is_empty() { "0" } else { whole });
    if let Some(at) = decimal {
        number.push('.');
        number.push_str(&figures[at + 1..]);
    }
    Some(number)
}

fn currency(text: &str) -> Option<String> {
    const SIGNS: [(&str, &str); 5] = [("€", "EUR"), ("£", "GBP"), ("¥", "JPY"), ("US$", "USD"), ("$", "USD")];
    if let Some((_, code)) = SIGNS.iter().find(|(sign, _)| text.contains(sign)) {
        return Some((*code).to_owned());
    }
    let code = text.split(|letter: char| !letter.is_ascii_alphabetic()).find(|word| word.len() == 3)?;
    Some(code.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_every_spelling_become_one() {
        for text in [
            "12 March 2024",
            "March 12, 2024",
            "2024-03-12",
            "12.03.2024",
            "12/03/2024",
            "12-Mar-2024",
            "12. März 2024",
            "Tue 12th March 2024",
        ] {
            assert_eq!(Normaliser::Date.apply(text).as_deref(), Some("2024-03-12"), "{text}");
        }
        assert_eq!(Normaliser::Date.apply("03/28/2024").as_deref(), Some("2024-03-28"));
        assert_eq!(Normaliser::Date.apply("31 February 2024"), None);
        assert_eq!(Normaliser::Date.apply("soon"), None);
    }

    #[test]
    fn numbers_of_every_spelling_become_plain() {
        for (text, plain) in [
            ("EUR 1,234.50", "1234.50"),
            ("1.234,50 €", "1234.50"),
            ("1 234,50", "1234.50"),
            ("1'234.50", "1234.50"),
            ("-17", "-17"),
            ("1,234", "1234"),
            ("0.5", "0.5"),
            ("12,5 %", "12.5"),
            ("1,234,567", "1234567"),
            ("007", "7"),
            ("0", "0"),
        ] {
            assert_eq!(Normaliser::Number.apply(text).as_deref(), Some(plain), "{text}");
        }
        assert_eq!(Normaliser::Number.apply("none"), None);
    }

    #[test]
    fn currencies_become_codes() {
        assert_eq!(Normaliser::Currency.apply("€ 5").as_deref(), Some("EUR"));
        assert_eq!(Normaliser::Currency.apply("chf").as_deref(), Some("CHF"));
    }
}
