//! Parses numbers and amounts of money in common notations: signs, brackets, thousands separators, currencies on either side.
//!
//! A value with one meaning is normalised (`-1234.50`). An ambiguous value stays as written, because guessing would produce wrong values.

use std::ops::Range;

use super::currencies;

/// Words that may accompany an amount. With any other word ("days", "pages", "weight") a number needs a currency to count as money.
const PLAIN_WORDS: &[&str] = &[
    "a",
    "all",
    "amount",
    "and",
    "betrag",
    "brutto",
    "charge",
    "charges",
    "due",
    "excl",
    "excluding",
    "exkl",
    "for",
    "gesamt",
    "gross",
    "gst",
    "in",
    "incl",
    "including",
    "inclusive",
    "inkl",
    "invoice",
    "mwst",
    "net",
    "netto",
    "now",
    "of",
    "pay",
    "payable",
    "price",
    "sales",
    "sum",
    "tax",
    "taxes",
    "the",
    "to",
    "total",
    "ust",
    "value",
    "vat",
];
/// Words before an amount that may invert its sign.
const SIGN_WORDS: &[&str] = &["credit", "credited", "gutschrift", "less", "minus", "refund"];
/// Words after a number that multiply it.
const MULTIPLIERS: &[&str] = &[
    "bn", "billion", "crore", "dozen", "hundred", "k", "lakh", "m", "mia", "million", "millions", "mio", "mn", "mrd",
    "tausend", "thousand", "tsd",
];

/// Normalises the number in `text`. `None` without a number, the text itself if it is ambiguous.
pub(super) fn number(text: &str) -> Option<String> {
    let found = find_numbers(text);
    match found.as_slice() {
        [] => None,
        [one] => Some(one.value.clone().unwrap_or_else(|| trimmed(text))),
        [first, rest @ ..] => {
            // "19 % 95.00": the percentage does not count.
            let others: Vec<&NumberMatch> = found.iter().filter(|number| !number.percent).collect();
            match others.as_slice() {
                [one] => Some(one.value.clone().unwrap_or_else(|| trimmed(text))),
                _ if first.value.is_some() && rest.iter().all(|other| other.value == first.value) => {
                    first.value.clone()
                }
                _ => Some(trimmed(text)),
            }
        }
    }
}

/// Normalises the amount of money in `text`, which follows a label such as "Total". Percentages, dates, counts and numbers that belong to other
/// words are not amounts.
pub(super) fn money(text: &str) -> Option<String> {
    let found = find_numbers(text);
    let words = words_around(text, &found);
    let plain_words = words.iter().all(|word| PLAIN_WORDS.contains(&word.as_str()));
    let money: Vec<&NumberMatch> =
        found.iter().filter(|number| !number.percent && (number.currency || plain_words)).collect();
    // Prefers amounts with a currency, then amounts with decimals, then any.
    let best = |kind: fn(&NumberMatch) -> bool| {
        let best: Vec<&NumberMatch> = money.iter().copied().filter(|number| kind(number)).collect();
        (!best.is_empty()).then_some(best)
    };
    let best =
        best(|number| number.currency).or_else(|| best(|number| number.decimals)).unwrap_or_else(|| money.clone());
    let first = best.first()?;
    let one_value = best.iter().all(|number| number.value == first.value);
    let sign_unclear = words.iter().any(|word| SIGN_WORDS.contains(&word.as_str()));
    match &first.value {
        Some(plain) if one_value && (!sign_unclear || plain.starts_with('-')) => Some(plain.clone()),
        _ => Some(trimmed(text)),
    }
}

/// A number in a text.
#[derive(Debug)]
struct NumberMatch {
    /// The range with sign, brackets and currency.
    range: Range<usize>,
    /// The normalised number. `None` if it is ambiguous.
    value: Option<String>,
    percent: bool,
    currency: bool,
    decimals: bool,
}

/// Finds the numbers, after normalising minus signs, spaces and digits.
fn find_numbers(text: &str) -> Vec<NumberMatch> {
    let letters: Vec<char> = text.chars().map(normalise_char).collect();
    let offsets: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let mut found = Vec::new();
    let mut index = 0;
    while index < letters.len() {
        let starts = letters[index].is_ascii_digit()
            || (matches!(letters[index], '.' | ',')
                && is_digit(&letters, index + 1)
                && !is_digit_before(&letters, index));
        if !starts {
            index += 1;
            continue;
        }
        let end = figures_end(&letters, index);
        let figures: String = letters[index..end].iter().collect();
        let context = NumberContext::new(&letters, index, end);
        if let Some((plain, decimals)) = (!context.is_part_of_word).then(|| parse_figures(&figures)).flatten() {
            found.push(NumberMatch {
                range: offsets[context.start]..offsets[context.end],
                value: context.signed(plain).filter(|_| {
                    let number = &text[offsets[context.start]..offsets[context.end]];
                    !(THREE_DECIMAL_CURRENCIES.iter().any(|code| number.contains(code)) && could_be_decimals(&figures))
                }),
                percent: context.percent,
                currency: context.currency,
                decimals,
            });
        }
        index = end;
    }
    found
}

/// Currencies with three decimals: in `KWD 1.234` the separator is ambiguous.
const THREE_DECIMAL_CURRENCIES: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// Returns whether `figures` has exactly one separator, followed by three digits.
fn could_be_decimals(figures: &str) -> bool {
    let mut parts = figures.split(['.', ',']);
    parts.next().is_some() && parts.next().is_some_and(|part| part.len() == 3) && parts.next().is_none()
}

fn normalise_char(letter: char) -> char {
    match letter {
        '−' | '–' | '‐' | '‑' | '‒' | '－' | '﹣' | '⁻' => '-',
        '’' | '‘' | '`' | '´' | '＇' => '\'',
        '（' => '(',
        '）' => ')',
        '．' => '.',
        '，' => ',',
        '％' => '%',
        '０'..='９' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        letter if letter.is_whitespace() => ' ',
        letter => letter,
    }
}

fn is_digit(letters: &[char], index: usize) -> bool {
    letters.get(index).is_some_and(char::is_ascii_digit)
}

fn is_digit_before(letters: &[char], index: usize) -> bool {
    index.checked_sub(1).is_some_and(|before| is_digit(letters, before))
}

/// Returns the end of the number that starts at `start`: digits with separators between them, and spaces as thousands separators only.
fn figures_end(letters: &[char], start: usize) -> usize {
    let digits_from =
        |from: usize| letters[from.min(letters.len())..].iter().take_while(|letter| letter.is_ascii_digit()).count();
    let mut end = start;
    let mut blanks = true;
    loop {
        let count = digits_from(end);
        end += count;
        match letters.get(end) {
            Some('.' | ',') if is_digit(letters, end + 1) => {
                blanks = false;
                end += 1;
            }
            Some('\'') if digits_from(end + 1) == 3 => end += 1,
            // "1 234,50": one space and three digits, and only spaces so far.
            Some(' ') if blanks && (1..=3).contains(&count) && digits_from(end + 1) == 3 => end += 1,
            _ => return end,
        }
    }
}

/// Normalises the digits of a number, and returns whether it has decimals. `None` for dates, versions and the like.
fn parse_figures(figures: &str) -> Option<(String, bool)> {
    let marks: Vec<(usize, char)> = figures.char_indices().filter(|(_, letter)| !letter.is_ascii_digit()).collect();
    let (last_at, last) = marks.last().copied().unwrap_or((figures.len(), ' '));
    let behind = figures.len().saturating_sub(last_at + 1);
    let same = marks.iter().filter(|(_, mark)| *mark == last).count();
    let first_group = marks.first().map_or(figures.len(), |(at, _)| *at);
    let decimal = match (last, marks.len(), same) {
        ('.' | ',', 1, _) => behind != 3 || first_group == 0 || first_group > 3 || figures.starts_with('0'),
        ('.' | ',', _, 1) => true,
        _ => false,
    };
    let whole = if decimal { &figures[..last_at] } else { figures };
    let mut kinds = whole.chars().filter(|letter| !letter.is_ascii_digit());
    let kind = kinds.next();
    if kinds.any(|mark| Some(mark) != kind) {
        return None;
    }
    let groups: Vec<usize> = whole.split(|letter: char| !letter.is_ascii_digit()).map(str::len).collect();
    if groups.len() > 1 && !is_grouping(&groups, kind == Some(',')) {
        return None;
    }
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    let mut plain = String::from(if digits.is_empty() { "0" } else { digits });
    if decimal {
        plain.push('.');
        plain.push_str(&figures[last_at + 1..]);
    }
    Some((plain, decimal))
}

/// Returns whether the groups are thousands: groups of three after a first group of one to three digits, or with commas the Indian grouping
/// `1,23,456`.
fn is_grouping(groups: &[usize], commas: bool) -> bool {
    let [first, middle @ .., last] = groups else { return true };
    let western = (1..=3).contains(first) && middle.iter().all(|group| *group == 3);
    let indian = commas && (1..=2).contains(first) && middle.iter().all(|group| *group == 2);
    *last == 3 && (western || indian)
}

/// The signs, currencies and other marks around a number.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent properties")]
struct NumberContext {
    start: usize,
    end: usize,
    minus: u8,
    plus: bool,
    /// A dash that is either a sign or a separator between label and value.
    unclear: bool,
    percent: bool,
    currency: bool,
    is_part_of_word: bool,
}

impl NumberContext {
    fn new(letters: &[char], start: usize, end: usize) -> Self {
        let mut context = Self { start, end, ..Self::default() };
        let brackets = context.extend(letters);
        context.minus += u8::from(brackets);
        context.is_part_of_word |= context.touches(letters);
        context
    }

    /// Extends the range to signs, currencies, credit marks and enclosing brackets. Returns whether there are brackets.
    fn extend(&mut self, letters: &[char]) -> bool {
        let mut brackets = false;
        let (mut sign, mut currency_before, mut currency_after) = (false, false, false);
        loop {
            let (before, gap_before) = skip_blank_back(letters, self.start);
            if let Some(length) = (!currency_before).then(|| currencies::at_end(&letters[..before])).flatten() {
                (self.currency, currency_before) = (true, true);
                self.start = before - length;
                continue;
            }
            let letter = before.checked_sub(1).map(|index| letters[index]);
            if let Some('-' | '+') = letter.filter(|_| !sign) {
                sign = true;
                // In "Total - 5" the dash may be a separator; in "Total: - 5" it is a sign, and two spaces start a new column.
                let (label, gap) = skip_blank_back(letters, before - 1);
                let parted = label == 0 || gap > 1 || !letters[label - 1].is_alphanumeric();
                self.unclear |= gap_before > 0 && !parted;
                self.unclear |= gap_before > 0 && label == 0 && gap > 0 && gap < 2;
                self.minus += u8::from(letter == Some('-'));
                self.plus |= letter == Some('+');
                self.start = before - 1;
                continue;
            }
            let (after, gap_after) = skip_blank(letters, self.end);
            let rest = &letters[after..];
            if let Some(length) = (!currency_after).then(|| currencies::at_start(rest)).flatten() {
                (self.currency, currency_after) = (true, true);
                self.end = after + length;
                continue;
            }
            if let Some((length, credit)) = credit_mark(rest) {
                self.minus += u8::from(credit);
                self.end = after + length;
                continue;
            }
            match letters.get(after) {
                Some('%') if !self.percent => {
                    self.percent = true;
                    self.end = after + 1;
                }
                Some('-') if !sign && gap_after <= 1 && ends_here(letters, after + 1) => {
                    sign = true;
                    self.minus += 1;
                    self.end = after + 1;
                }
                Some(')') if !brackets && letter == Some('(') => {
                    brackets = true;
                    self.start = before - 1;
                    self.end = after + 1;
                }
                _ => {
                    let word: String = rest.iter().take_while(|letter| letter.is_alphabetic()).collect();
                    self.unclear |= MULTIPLIERS.contains(&word.to_lowercase().as_str());
                    return brackets;
                }
            }
        }
    }

    /// Returns whether adjacent letters, digits or marks make the number part of a word, a date, a time or a range.
    fn touches(&self, letters: &[char]) -> bool {
        let before = self.start.checked_sub(1).map(|index| letters[index]);
        let after = letters.get(self.end).copied();
        let linked = |mark: Option<char>| {
            mark.is_some_and(|mark| matches!(mark, '/' | ':' | '-' | '.' | ',' | '\'' | '_' | '#' | '@' | '&'))
        };
        let word_before = before.is_some_and(char::is_alphanumeric);
        let word_after = after.is_some_and(char::is_alphanumeric);
        let linked_before = linked(before)
            && self.start.checked_sub(2).is_some_and(|index| letters[index].is_alphanumeric())
            && before != Some(':');
        let time =
            before == Some(':') && self.start.checked_sub(2).is_some_and(|index| letters[index].is_ascii_digit());
        let linked_after = linked(after) && letters.get(self.end + 1).is_some_and(|letter| letter.is_alphanumeric());
        // A sign next to a word or number is a hyphen: "2024-03", "A-17".
        let hyphen = letters.get(self.start).is_some_and(|letter| *letter == '-') && word_before;
        word_before || word_after || linked_before || linked_after || time || hyphen || before == Some('#')
    }

    fn signed(&self, plain: String) -> Option<String> {
        let zero = plain.chars().all(|letter| matches!(letter, '0' | '.'));
        match self.minus {
            _ if self.unclear => None,
            0 => Some(plain),
            1 if self.plus => None,
            1 if zero => Some(plain),
            1 => Some(format!("-{plain}")),
            // A minus within brackets is ambiguous.
            _ => None,
        }
    }
}

/// Parses `CR` for a credit or `DR` for a debit: the length, and whether the sign is negative.
fn credit_mark(rest: &[char]) -> Option<(usize, bool)> {
    let word: String = rest.iter().take_while(|letter| letter.is_alphabetic()).collect();
    let credit = match word.to_lowercase().as_str() {
        "cr" => true,
        "dr" => false,
        _ => return None,
    };
    Some((2, credit))
}

/// Returns whether a value ends at `index`, followed by nothing, a gap, a currency or a bracket.
fn ends_here(letters: &[char], index: usize) -> bool {
    let (next, gap) = skip_blank(letters, index);
    next == letters.len()
        || gap > 1
        || matches!(letters[next], ')' | ';')
        || currencies::at_start(&letters[next..]).is_some()
        || credit_mark(&letters[next..]).is_some()
}

fn skip_blank(letters: &[char], from: usize) -> (usize, usize) {
    let gap = letters[from..].iter().take_while(|letter| **letter == ' ').count();
    (from + gap, gap)
}

fn skip_blank_back(letters: &[char], to: usize) -> (usize, usize) {
    let gap = letters[..to].iter().rev().take_while(|letter| **letter == ' ').count();
    (to - gap, gap)
}

/// Returns the words outside of numbers and brackets in lower case, without currencies.
fn words_around(text: &str, found: &[NumberMatch]) -> Vec<String> {
    let mut depth = 0_u32;
    let mut words = String::new();
    for (at, letter) in text.char_indices() {
        let in_number = found.iter().any(|number| number.range.contains(&at));
        match letter {
            _ if in_number => words.push(' '),
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            letter if depth == 0 && letter.is_alphabetic() => words.extend(letter.to_lowercase()),
            _ => words.push(' '),
        }
    }
    words.split_whitespace().filter(|word| !currencies::is_code(&word.to_uppercase())).map(str::to_owned).collect()
}

/// Returns the text as written, without the mark that separates it from its label.
fn trimmed(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.trim_start_matches([':', '=', '.', ' ']).to_owned()
}
