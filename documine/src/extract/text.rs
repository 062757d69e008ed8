//! Numbers and booleans as people write them. One rule: a text is read only if it has one reading.

use std::str::FromStr;

/// Why a text is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotANumber {
    Malformed,
    /// `1,234`: thousands or decimals?
    Ambiguous,
}

/// Which mark begins the decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// Whatever has one reading only.
    Evident,
    /// `1,234.5`
    Point,
    /// `1.234,5`
    Comma,
}

/// The number in the form that Rust's own parsers read (`-1234.5e6`): sign, digits, a point, digits, an exponent.
pub(super) fn plain(text: &str, notation: Notation) -> Result<String, NotANumber> {
    let text = text.trim();
    let (negative, rest) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let (whole, decimals) = split(mantissa, notation)?;
    let digits = ungrouped(whole)?;
    if decimals.is_some_and(|decimals| decimals.is_empty() || !all_digits(decimals)) {
        return Err(NotANumber::Malformed);
    }
    let mut out = String::with_capacity(text.len());
    if negative {
        out.push('-');
    }
    out.push_str(&digits);
    if let Some(decimals) = decimals {
        out.push('.');
        out.push_str(decimals);
    }
    if let Some(exponent) = exponent {
        if !all_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)) {
            return Err(NotANumber::Malformed);
        }
        out.push('e');
        out.push_str(exponent);
    }
    Ok(out)
}

/// A whole number of any integer type.
pub(super) fn integer<T: FromStr>(text: &str) -> Result<T, NotANumber> {
    plain(text, Notation::Evident)?.parse().map_err(|_| NotANumber::Malformed)
}

/// A finite number.
pub(super) fn float(text: &str) -> Result<f64, NotANumber> {
    let number: f64 = plain(text, Notation::Evident)?.parse().map_err(|_| NotANumber::Malformed)?;
    if number.is_finite() { Ok(number) } else { Err(NotANumber::Malformed) }
}

/// `true`/`false`, `yes`/`no`, `1`/`0`.
pub(super) fn truth(text: &str) -> Option<bool> {
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

/// Parts the digits before the decimal mark (groups and all) from those after it.
fn split(mantissa: &str, notation: Notation) -> Result<(&str, Option<&str>), NotANumber> {
    let mark = match notation {
        Notation::Point => Some('.'),
        Notation::Comma => Some(','),
        Notation::Evident => evident_mark(mantissa)?,
    };
    let Some((whole, decimals)) = mark.and_then(|mark| mantissa.split_once(mark)) else {
        return Ok((mantissa, None));
    };
    Ok((whole, Some(decimals)))
}

/// The decimal mark, if there is one and the text leaves no doubt about it.
fn evident_mark(mantissa: &str) -> Result<Option<char>, NotANumber> {
    let count = |mark| mantissa.matches(mark).count();
    match (count('.'), count(',')) {
        // The mark that comes once and last begins the decimals, the other one groups.
        (1, commas) if commas > 0 && mantissa.rfind('.') > mantissa.rfind(',') => Ok(Some('.')),
        (points, 1) if points > 0 && mantissa.rfind(',') > mantissa.rfind('.') => Ok(Some(',')),
        (1, 0) => Ok(Some('.')),
        (0, 1) => {
            let (whole, decimals) = mantissa.split_once(',').ok_or(NotANumber::Malformed)?;
            let could_group =
                decimals.len() == 3 && all_digits(decimals) && (1..=3).contains(&whole.len()) && all_digits(whole);
            if could_group && !whole.starts_with('0') { Err(NotANumber::Ambiguous) } else { Ok(Some(',')) }
        }
        // No mark, or twice the same one, which can only group.
        (_, 0) | (0, _) => Ok(None),
        _ => Err(NotANumber::Malformed),
    }
}

/// The digits without their thousands separators: one to three digits, then groups of three, all parted by the same mark.
fn ungrouped(whole: &str) -> Result<String, NotANumber> {
    let Some(separator) = whole.chars().find(|c| !c.is_ascii_digit()) else {
        return if whole.is_empty() { Err(NotANumber::Malformed) } else { Ok(whole.to_owned()) };
    };
    if !matches!(separator, ',' | '.' | '\'' | '\u{2019}' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}') {
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
