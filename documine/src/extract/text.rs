//! Parses numbers and booleans in the notations of documents. A text is accepted only if it is unambiguous.

use std::str::FromStr;

/// The reason why a text is not a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotANumber {
    Malformed,
    /// `1,234`: the comma may separate thousands or decimals.
    Ambiguous,
}

/// The decimal mark that the caller expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// Not stated: a text is accepted if it is unambiguous. A single point is a decimal point.
    Evident,
    /// Not stated: as `Evident`, but a single point before three digits is ambiguous.
    Strict,
    /// `1,234.5`
    Point,
    /// `1.234,5`
    Comma,
}

/// Converts a number to the syntax of Rust's parsers (`-1234.5e6`): sign, digits, point, digits, exponent.
///
/// With a stated notation the text is an amount, so the negative forms of accounting are accepted as well: `(1,234.50)` and `1,234.50-`.
pub(super) fn plain(text: &str, notation: Notation) -> Result<String, NotANumber> {
    let text = in_ascii(text);
    let (negative, unsigned) = match notation {
        Notation::Evident | Notation::Strict => leading_sign(text.trim()),
        Notation::Point | Notation::Comma => sign(text.trim())?,
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let mut number = unsigned_decimal(mantissa, notation)?;
    if negative {
        number.insert(0, '-');
    }
    if let Some(exponent) = exponent {
        if !all_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)) {
            return Err(NotANumber::Malformed);
        }
        number.push('e');
        number.push_str(exponent);
    }
    Ok(number)
}

/// Replaces typographic variants of signs, spaces, apostrophes and full-width characters by ASCII, and removes invisible characters.
///
/// Line breaks and tabs are kept, because they separate values.
pub(super) fn in_ascii(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            // Hyphens and dashes in use as minus signs. PDF readers often return a hyphen as a soft hyphen.
            '\u{ad}' | '\u{2010}'..='\u{2013}' | '\u{207b}' | '\u{2212}' | '\u{fe63}' => Some('-'),
            '\u{2018}' | '\u{2019}' | '\u{2bc}' | '\u{2032}' | '\u{b4}' | '`' => Some('\''),
            // Zero-width characters and directional marks.
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
            | '\u{61c}' => None,
            '\u{ff01}'..='\u{ff5e}' => u32::from(c).checked_sub(0xfee0).and_then(char::from_u32),
            '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(c),
            c if c.is_whitespace() => Some(' '),
            c => Some(c),
        })
        .collect()
}

/// Splits off a leading sign with the spaces after it.
fn leading_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start_matches(' ')),
        None => (false, text.strip_prefix('+').map_or(text, |rest| rest.trim_start_matches(' '))),
    }
}

/// Splits off the sign of an amount: leading, trailing, or parentheses for a negative amount. Two signs are an error.
pub(super) fn sign(text: &str) -> Result<(bool, &str), NotANumber> {
    let (negative, rest) = if let Some(inner) = text.strip_prefix('(') {
        (true, inner.strip_suffix(')').ok_or(NotANumber::Malformed)?.trim_matches(' '))
    } else if let Some(front) = text.strip_suffix('-') {
        (true, front.trim_end_matches(' '))
    } else {
        return Ok(leading_sign(text));
    };
    if rest.starts_with(['-', '+', '(']) || rest.ends_with(['-', ')']) {
        Err(NotANumber::Malformed)
    } else {
        Ok((negative, rest))
    }
}

/// Normalizes digits with a decimal mark and thousands separators to digits, point, digits.
pub(super) fn unsigned_decimal(mantissa: &str, notation: Notation) -> Result<String, NotANumber> {
    let (whole, decimals) = split(mantissa, notation)?;
    let mut number = ungrouped(whole)?;
    if let Some(decimals) = decimals {
        if !all_digits(decimals) {
            return Err(NotANumber::Malformed);
        }
        number.push('.');
        number.push_str(decimals);
    }
    Ok(number)
}

/// Parses an integer of any type.
pub(super) fn integer<T: FromStr>(text: &str) -> Result<T, NotANumber> {
    plain(text, Notation::Evident)?.parse().map_err(|_| NotANumber::Malformed)
}

/// Parses a finite number.
pub(super) fn float(text: &str) -> Result<f64, NotANumber> {
    let number: f64 = plain(text, Notation::Evident)?.parse().map_err(|_| NotANumber::Malformed)?;
    if number.is_finite() { Ok(number) } else { Err(NotANumber::Malformed) }
}

/// Parses `true`/`false`, `yes`/`no`, `1`/`0`.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let text = text.trim();
    let is = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["true", "yes", "1"]) {
        Some(true)
    } else if is(["false", "no", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// Splits the digits before the decimal mark, including groups, from those after it.
fn split(mantissa: &str, notation: Notation) -> Result<(&str, Option<&str>), NotANumber> {
    let mark = match notation {
        Notation::Point => Some('.'),
        Notation::Comma => Some(','),
        Notation::Strict if could_group(mantissa) => return Err(NotANumber::Ambiguous),
        Notation::Evident | Notation::Strict => evident_mark(mantissa)?,
    };
    let Some((whole, decimals)) = mark.and_then(|mark| mantissa.split_once(mark)) else {
        return Ok((mantissa, None));
    };
    Ok((whole, Some(decimals)))
}

/// Returns the decimal mark, if there is one and the text is unambiguous.
fn evident_mark(mantissa: &str) -> Result<Option<char>, NotANumber> {
    let count = |mark| mantissa.matches(mark).count();
    match (count('.'), count(',')) {
        // The mark that occurs once and last separates the decimals; the other mark groups.
        (1, commas) if commas > 0 && mantissa.rfind('.') > mantissa.rfind(',') => Ok(Some('.')),
        (points, 1) if points > 0 && mantissa.rfind(',') > mantissa.rfind('.') => Ok(Some(',')),
        (1, 0) => Ok(Some('.')),
        (0, 1) if could_group(mantissa) => Err(NotANumber::Ambiguous),
        (0, 1) => Ok(Some(',')),
        // Without a mark, or with several of the same, which can only group.
        (_, 0) | (0, _) => Ok(None),
        _ => Err(NotANumber::Malformed),
    }
}

/// Returns true for one to three digits, a mark and three digits: `1.234`, but not `0.234`.
pub(super) fn could_group(digits: &str) -> bool {
    digits.split_once(['.', ',']).is_some_and(|(whole, decimals)| {
        let are_digits = all_digits(whole) && all_digits(decimals);
        are_digits && whole.len() <= 3 && decimals.len() == 3 && !whole.starts_with('0')
    })
}

/// Removes thousands separators: one to three digits, then groups of three, all with the same separator.
fn ungrouped(whole: &str) -> Result<String, NotANumber> {
    let Some(separator) = whole.chars().find(|c| !c.is_ascii_digit()) else {
        return if whole.is_empty() { Err(NotANumber::Malformed) } else { Ok(whole.to_owned()) };
    };
    if !matches!(separator, ',' | '.' | '\'' | ' ') {
        return Err(NotANumber::Malformed);
    }
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or_default();
    let mut digits = first.to_owned();
    if !(1..=3).contains(&first.len()) || !all_digits(first) || first.starts_with('0') {
        return Err(NotANumber::Malformed);
    }
    for group in groups {
        if group.len() != 3 || !all_digits(group) {
            return Err(NotANumber::Malformed);
        }
        digits.push_str(group);
    }
    Ok(digits)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
