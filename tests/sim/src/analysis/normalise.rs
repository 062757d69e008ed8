//! Normalises extracted values.

use chrono::NaiveDate;
use serde::Deserialize;

use super::{amounts, currencies};

/// The normalisation of a rule's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Normaliser {
    /// Removes white space at both ends and collapses it elsewhere.
    #[default]
    Trim,
    /// As `trim`, in upper case.
    Upper,
    /// As `trim`, in lower case.
    Lower,
    /// Converts a date in a common notation to `2024-03-12`.
    Date,
    /// Converts a number in a common notation to `-1234.50`. An ambiguous number stays unchanged.
    Number,
    /// Converts an amount of money after a label, in the form of `number`. Percentages, dates and counts are skipped.
    Money,
    /// Converts a currency sign, code or name to its ISO 4217 code.
    Currency,
}

impl Normaliser {
    /// Returns the normalised value. `None` if the text does not contain such a value.
    pub(super) fn apply(self, raw: &str) -> Option<String> {
        let text = raw.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.trim_end_matches([';', ',']).trim_end();
        if text.is_empty() {
            return None;
        }
        match self {
            Self::Trim => Some(text.to_owned()),
            Self::Upper => Some(text.to_uppercase()),
            Self::Lower => Some(text.to_lowercase()),
            Self::Date => normalise_date(text),
            // Two spaces separate columns, so the white space matters.
            Self::Number => amounts::number(raw),
            Self::Money => amounts::money(raw),
            Self::Currency => currencies::code_of(text),
        }
    }
}

/// Returns the first date in `text`, or the text itself if this date is ambiguous.
fn normalise_date(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let parts = date_parts(&lower);
    // Words around a date ("on", "the", a weekday) are skipped; three consecutive parts must form a date.
    let day = parts.windows(3).find_map(|window| parse_date(&window[0], &window[1], &window[2]))?;
    Some(match day {
        ParsedDate::Exact(day) => day.format("%Y-%m-%d").to_string(),
        ParsedDate::Ambiguous => text.to_owned(),
    })
}

/// A run of letters or digits, with the following marks.
struct DatePart<'a> {
    text: &'a str,
    mark: &'a str,
}

enum ParsedDate {
    Exact(NaiveDate),
    /// Day and month are interchangeable.
    Ambiguous,
}

/// Splits a text at marks and between letters and digits (`12MAR2024`, `12T10:30`). Ordinal suffixes and "of" are left out.
fn date_parts(text: &str) -> Vec<DatePart<'_>> {
    let mut parts: Vec<DatePart<'_>> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let same = |letter: char| {
            if first.is_numeric() { letter.is_numeric() } else { letter.is_alphabetic() && first.is_alphabetic() }
        };
        let end = rest.find(|letter| !same(letter)).unwrap_or(rest.len()).max(first.len_utf8());
        let (run, behind) = rest.split_at(end);
        let marks = behind.find(char::is_alphanumeric).unwrap_or(behind.len());
        let ordinal = matches!(run, "st" | "nd" | "rd" | "th") && parts.last().is_some_and(|part| part.mark.is_empty());
        if !first.is_alphanumeric() || ordinal || run == "of" {
            if let Some(part) = parts.last_mut().filter(|part| part.mark.is_empty()) {
                part.mark = &behind[..marks];
            }
        } else {
            parts.push(DatePart { text: run, mark: &behind[..marks] });
        }
        rest = &behind[marks..];
    }
    parts
}

fn parse_date(first: &DatePart<'_>, second: &DatePart<'_>, third: &DatePart<'_>) -> Option<ParsedDate> {
    let number = |part: &DatePart<'_>| (part.text.len() <= 2).then(|| part.text.parse::<u32>().ok()).flatten();
    let year = |part: &DatePart<'_>| match (part.text.len(), part.text.parse::<i32>().ok()?) {
        (4, year) if year >= 1000 => Some(year),
        (2, year) => Some(if year < 70 { 2000 + year } else { 1900 + year }),
        _ => None,
    };
    let from_ymd = |year: i32, month: u32, day: u32| NaiveDate::from_ymd_opt(year, month, day);
    if first.text.len() == 4
        && let Some(year) = year(first)
    {
        return from_ymd(year, month_of(second.text).or_else(|| number(second))?, number(third)?)
            .map(ParsedDate::Exact);
    }
    if let Some(month) = month_of(second.text) {
        return from_ymd(year(third)?, month, number(first)?).map(ParsedDate::Exact);
    }
    if let Some(month) = month_of(first.text) {
        return from_ymd(year(third)?, month, number(second)?).map(ParsedDate::Exact);
    }
    // In a date of numbers only, both separators must be equal.
    let (mark, other) = (first.mark.trim(), second.mark.trim());
    if mark != other || !matches!(mark, "." | "/" | "-") {
        return None;
    }
    let (a, b, year) = (number(first)?, number(second)?, year(third)?);
    match (from_ymd(year, b, a), from_ymd(year, a, b)) {
        // Dots separate day-first dates; slashes and hyphens are also used for month-first dates.
        (Some(day_first), Some(month_first)) if mark != "." && day_first != month_first => Some(ParsedDate::Ambiguous),
        (Some(day), _) | (None, Some(day)) => Some(ParsedDate::Exact(day)),
        (None, None) => None,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_dates_in_every_notation() {
        for text in [
            "12 March 2024",
            "March 12, 2024",
            "2024-03-12",
            "2024-03-12T10:30:00Z",
            "2024/03/12",
            "12.03.2024",
            "12. 3. 2024",
            "12.03.24",
            "12-Mar-2024",
            "12MAR2024",
            "12. März 2024",
            "Tue 12th March 2024",
            "12TH OF MARCH 2024, 10:30",
            "on the 12th of March, 2024",
        ] {
            assert_eq!(Normaliser::Date.apply(text).as_deref(), Some("2024-03-12"), "{text}");
        }
        for (text, day) in [
            ("03/28/2024", "2024-03-28"),
            ("28/03/2024", "2024-03-28"),
            ("28-03-2024", "2024-03-28"),
            ("04/04/2024", "2024-04-04"),
        ] {
            assert_eq!(Normaliser::Date.apply(text).as_deref(), Some(day), "{text}");
        }
        for text in ["31 February 2024", "soon", "1.2.3", "10:30:2024", "3 of 12 2024", "12345/3/2024"] {
            assert_eq!(Normaliser::Date.apply(text), None, "{text}");
        }
    }

    #[test]
    fn keeps_ambiguous_dates() {
        for text in ["03/04/2024", "3/4/2024", "03-04-2024", "03/04/24", "on 03/04/2024"] {
            assert_eq!(Normaliser::Date.apply(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn normalises_numbers_in_every_notation() {
        for (text, plain) in [
            ("EUR 1,234.50", "1234.50"),
            ("1.234,50 €", "1234.50"),
            ("1 234,50", "1234.50"),
            ("1\u{202f}234,50 €", "1234.50"),
            ("1'234.50", "1234.50"),
            ("1’234’567.50", "1234567.50"),
            ("1,23,456.50", "123456.50"),
            ("-17", "-17"),
            ("- 17", "-17"),
            ("1,234", "1234"),
            ("0.5", "0.5"),
            (".5", "0.5"),
            ("0,500", "0.500"),
            ("12,5 %", "12.5"),
            ("1,234,567", "1234567"),
            ("1.234.567", "1234567"),
            ("007", "7"),
            ("0", "0"),
            ("１２", "12"),
        ] {
            assert_eq!(Normaliser::Number.apply(text).as_deref(), Some(plain), "{text}");
        }
        for text in ["none", "12.03.2024", "2024-03-12", "10:30", "A-17", "1.2.3.4"] {
            assert_eq!(Normaliser::Number.apply(text), None, "{text}");
        }
    }

    #[test]
    fn credits_are_negative_in_every_notation() {
        for text in [
            "-1,234.50",
            "- 1,234.50",
            "−1,234.50",
            "–1,234.50",
            "‑1,234.50",
            "－1,234.50",
            "1,234.50-",
            "1,234.50 -",
            "1,234.50−",
            "(1,234.50)",
            "( 1,234.50 )",
            "(EUR 1,234.50)",
            "EUR (1,234.50)",
            "(1,234.50) EUR",
            "EUR -1,234.50",
            "-EUR 1,234.50",
            "EUR-1,234.50",
            "€-1,234.50",
            "-€1,234.50",
            "-$1,234.50",
            "$(1,234.50)",
            "1,234.50- EUR",
            "1,234.50 EUR-",
            "-1.234,50 €",
            "1.234,50- €",
            "(1.234,50 €)",
            "-1 234,50 €",
            "-1'234.50 CHF",
            "1,234.50 CR",
            "1,234.50CR",
            "1,234.50 EUR CR",
            "US$ -1,234.50",
        ] {
            for normaliser in [Normaliser::Number, Normaliser::Money] {
                assert_eq!(normaliser.apply(text).as_deref(), Some("-1234.50"), "{text}");
            }
        }
        for text in ["1,234.50 DR", "+1,234.50", "EUR 1,234.50", "$1,234.50 USD", "$1,234.50USD"] {
            assert_eq!(Normaliser::Money.apply(text).as_deref(), Some("1234.50"), "{text}");
        }
        assert_eq!(Normaliser::Money.apply("-0.00").as_deref(), Some("0.00"));
    }

    #[test]
    fn keeps_ambiguous_numbers() {
        for text in ["(-1,234.50)", "-1,234.50 CR", "+(5.00)", "EUR 1.2 million", "10 - 20", "1,000.00 190.00 1,190.00"]
        {
            for normaliser in [Normaliser::Number, Normaliser::Money] {
                assert_eq!(normaliser.apply(text).as_deref(), Some(text), "{text}");
            }
        }
        // The dash is either a separator or a sign.
        assert_eq!(Normaliser::Money.apply(" - 1,234.50").as_deref(), Some("- 1,234.50"));
        assert_eq!(Normaliser::Money.apply(": - 1,234.50").as_deref(), Some("-1234.50"));
        assert_eq!(Normaliser::Money.apply("   - 1,234.50").as_deref(), Some("-1234.50"));
        assert_eq!(Normaliser::Money.apply(" minus EUR 5.00").as_deref(), Some("minus EUR 5.00"));
    }

    #[test]
    fn distinguishes_money_from_other_numbers() {
        for (text, amount) in [
            (" (EUR): 1,234.50", Some("1234.50")),
            (" (2 items): 5.00", Some("5.00")),
            (" 19 %  95.00", Some("95.00")),
            (" (19 %): 95,00", Some("95.00")),
            (" incl. 19% VAT 1,190.00", Some("1190.00")),
            (" due by 12 March 2024: EUR 500", Some("500")),
            (" due 12.03.2024: 500.00", Some("500.00")),
            (" of 3 invoices  EUR 12.00", Some("12.00")),
            (": 5", Some("5")),
            (" 19 %", None),
            (" number of pages: 12", None),
            (" 30 days", None),
            (" weight 12.50 kg", None),
            (" see page 3", None),
            (" ID 12345", None),
            (" ID: DE123456789", None),
            ("", None),
        ] {
            assert_eq!(Normaliser::Money.apply(text).as_deref(), amount, "{text}");
        }
    }

    #[test]
    fn normalises_currencies_to_codes() {
        for (text, code) in [
            ("€ 5", Some("EUR")),
            ("chf", Some("CHF")),
            ("Euro", Some("EUR")),
            ("US dollars", Some("USD")),
            ("US$", Some("USD")),
            ("CA$ 5", Some("CAD")),
            ("A$", Some("AUD")),
            ("$", Some("USD")),
            ("all amounts in GBP", Some("GBP")),
            ("the top price", None),
            ("EUR / USD", Some("EUR / USD")),
            ("€ (EUR)", Some("EUR")),
        ] {
            assert_eq!(Normaliser::Currency.apply(text).as_deref(), code, "{text}");
        }
    }
}
