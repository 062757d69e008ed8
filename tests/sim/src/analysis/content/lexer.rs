//! Operators and operands of a content stream (ISO 32000-1, section 7.8.2). The lexer continues after malformed input.

use pdf_extract::{Document, Object, StringFormat};

/// Maximum depth of arrays. Brackets of deeper arrays are skipped.
const MAX_DEPTH: usize = 8;
/// Maximum number of operands of an operator.
const MAX_OPERANDS: usize = 64;

/// Iterates over the operators of a content stream.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    /// An unterminated string was found. Later strings end with their line, so that the search for their end stays linear.
    unclosed: bool,
    /// No inline image ends after this point.
    no_image_end: bool,
}

enum LexerToken {
    Operand(Object),
    Operator(String),
    /// `]` or `>>`.
    Close,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, unclosed: false, no_image_end: false }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take_while(&mut self, accepted: impl Fn(u8) -> bool) -> &'a [u8] {
        let start = self.at;
        while self.peek().is_some_and(&accepted) {
            self.at += 1;
        }
        &self.bytes[start..self.at]
    }

    fn skip_blank(&mut self) {
        loop {
            self.take_while(is_blank);
            if self.peek() != Some(b'%') {
                return;
            }
            self.take_while(|byte| !matches!(byte, b'\r' | b'\n'));
        }
    }

    fn token(&mut self, depth: usize) -> Option<LexerToken> {
        loop {
            self.skip_blank();
            let first = self.peek()?;
            match first {
                b'(' => return Some(LexerToken::Operand(string(self.literal()))),
                b'<' if self.bytes.get(self.at + 1) == Some(&b'<') && depth < MAX_DEPTH => {
                    self.at += 2;
                    self.group(depth);
                    return Some(LexerToken::Operand(Object::Null));
                }
                b'<' => return Some(LexerToken::Operand(string(self.hexadecimal()))),
                b'[' if depth < MAX_DEPTH => {
                    self.at += 1;
                    return Some(LexerToken::Operand(Object::Array(self.group(depth))));
                }
                b']' => {
                    self.at += 1;
                    return Some(LexerToken::Close);
                }
                b'>' => {
                    self.at += if self.bytes.get(self.at + 1) == Some(&b'>') { 2 } else { 1 };
                    return Some(LexerToken::Close);
                }
                b'/' => return Some(LexerToken::Operand(Object::Name(self.name()))),
                b'0'..=b'9' | b'+' | b'-' | b'.' => {
                    let written = self.take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.'));
                    return Some(LexerToken::Operand(number(written)));
                }
                b')' | b'{' | b'}' | b'[' => self.at += 1,
                _ => {
                    let word = self.take_while(|byte| !is_blank(byte) && !is_delimiter(byte));
                    return Some(match word {
                        b"true" | b"false" | b"null" => LexerToken::Operand(Object::Null),
                        word => LexerToken::Operator(String::from_utf8_lossy(word).into_owned()),
                    });
                }
            }
        }
    }

    /// Reads operands up to the closing bracket. An operator ends a group without a closing bracket.
    fn group(&mut self, depth: usize) -> Vec<Object> {
        let mut operands = Vec::new();
        loop {
            let before = self.at;
            match self.token(depth + 1) {
                Some(LexerToken::Operand(operand)) => operands.push(operand),
                Some(LexerToken::Operator(_)) => {
                    self.at = before;
                    return operands;
                }
                Some(LexerToken::Close) | None => return operands,
            }
        }
    }

    /// Reads a literal string. Without its closing bracket the string ends with the line, so that the next lines remain.
    fn literal(&mut self) -> Vec<u8> {
        self.at += 1;
        let start = self.at;
        let mut text = Vec::new();
        let mut depth = 1;
        while let Some(byte) = self.peek().filter(|byte| !self.unclosed || !matches!(byte, b'\r' | b'\n')) {
            self.at += 1;
            match byte {
                b'(' => depth += 1,
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        return text;
                    }
                }
                b'\\' => {
                    self.escape(&mut text);
                    continue;
                }
                _ => {}
            }
            text.push(byte);
        }
        self.unclosed = true;
        self.at = start;
        self.take_while(|byte| !matches!(byte, b'\r' | b'\n')).to_vec()
    }

    fn escape(&mut self, text: &mut Vec<u8>) {
        let Some(byte) = self.peek() else { return };
        self.at += 1;
        match byte {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'\r' if self.peek() == Some(b'\n') => self.at += 1,
            b'\r' | b'\n' => {}
            b'0'..=b'7' => {
                let mut code = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    code = code * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                // High bits are ignored.
                text.push(code.to_le_bytes()[0]);
            }
            byte => text.push(byte),
        }
    }

    fn hexadecimal(&mut self) -> Vec<u8> {
        self.at += 1;
        let written = self.take_while(|byte| is_blank(byte) || byte.is_ascii_hexdigit());
        if self.peek() == Some(b'>') {
            self.at += 1;
        }
        let digits: Vec<u8> = written.iter().copied().filter_map(hex_digit).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect()
    }

    fn name(&mut self) -> Vec<u8> {
        self.at += 1;
        let written = self.take_while(|byte| !is_blank(byte) && !is_delimiter(byte));
        let mut name = Vec::with_capacity(written.len());
        let mut rest = written;
        while let [first, behind @ ..] = rest {
            rest = behind;
            let code = match (first, behind) {
                (b'#', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)),
                _ => None,
            };
            match code {
                Some((high, low)) => {
                    name.push(high << 4 | low);
                    rest = &behind[2..];
                }
                None => name.push(*first),
            }
        }
        name
    }

    /// Skips the rest of an inline image, whose data is arbitrary. Its dictionary is short.
    fn inline_image(&mut self) {
        let rest = &self.bytes[self.at..];
        let Some(data) = rest.windows(3).take(2048).position(|three| is_blank(three[0]) && three[1..] == *b"ID") else {
            return;
        };
        let data = data + 3;
        let end = |plausible: bool| {
            (data..rest.len().saturating_sub(2)).find(|at| {
                let marked = is_blank(rest[*at]) && rest[at + 1..at + 3] == *b"EI";
                let behind = &rest[(at + 3).min(rest.len())..rest.len().min(at + 19)];
                let ends = behind.first().is_none_or(|byte| is_blank(*byte));
                let text = behind.iter().all(|byte| is_blank(*byte) || (b' '..=b'~').contains(byte));
                marked && ends && (text || !plausible)
            })
        };
        // Without an end, the data is read as meaningless operators, and the following text is still found.
        let end = if self.no_image_end { None } else { end(true).or_else(|| end(false)) };
        self.no_image_end = end.is_none();
        self.at += end.map_or(data, |end| end + 3);
    }
}

impl Iterator for Lexer<'_> {
    /// An operator with its operands.
    type Item = (String, Vec<Object>);

    fn next(&mut self) -> Option<Self::Item> {
        let mut operands = Vec::new();
        loop {
            match self.token(0)? {
                LexerToken::Operand(operand) => {
                    if operands.len() == MAX_OPERANDS {
                        operands.clear();
                    }
                    operands.push(operand);
                }
                LexerToken::Close => {}
                LexerToken::Operator(operator) => {
                    if operator == "BI" {
                        self.inline_image();
                    }
                    return Some((operator, operands));
                }
            }
        }
    }
}

fn string(bytes: Vec<u8>) -> Object {
    Object::String(bytes, StringFormat::Hexadecimal)
}

/// Parses the valid prefix of a number: `1.2.3` is 1.2, `--5` is 5.
fn number(written: &[u8]) -> Object {
    let text = String::from_utf8_lossy(written);
    let negative = text.starts_with('-');
    let digits = text.trim_start_matches(['-', '+']);
    let end = digits.find(['-', '+']).unwrap_or(digits.len());
    let digits = &digits[..end];
    let second_point = digits.match_indices('.').nth(1).map_or(digits.len(), |(at, _)| at);
    let value: f32 = digits[..second_point].parse().unwrap_or(0.0);
    Object::Real(if !value.is_finite() {
        0.0
    } else if negative {
        -value
    } else {
        value
    })
}

/// Returns a number in the form of the lexer; anything else is zero.
pub(super) fn real(document: &Document, object: &Object) -> Object {
    let number = document.dereference(object).and_then(|(_, number)| number.as_float()).unwrap_or(0.0);
    Object::Real(if number.is_finite() { number } else { 0.0 })
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 12 | b'\r' | b' ')
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operators_of(content: &[u8]) -> Vec<String> {
        let text = |object: &Object| match object {
            Object::String(bytes, _) => format!("({})", String::from_utf8_lossy(bytes)),
            Object::Real(number) => number.to_string(),
            Object::Name(name) => format!("/{}", String::from_utf8_lossy(name)),
            Object::Array(items) => format!("[{}]", items.len()),
            _ => "?".to_owned(),
        };
        Lexer::new(content)
            .map(|(operator, operands)| operands.iter().map(text).chain([operator]).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn reads_operators_with_their_operands() {
        let content = b"q 1 0 0 -1.5 .5 +7 cm /F#31 11 Tf (a\\(b\\051\\)) Tj <4142 4> Tj [(a) -20 <62>] TJ % comment\n/P << /MCID 0 >> BDC T* (x) ' Q";
        let expected = [
            "q",
            "1 0 0 -1.5 0.5 7 cm",
            "/F1 11 Tf",
            "(a(b))) Tj",
            "(AB@) Tj",
            "[3] TJ",
            "/P ? BDC",
            "T*",
            "(x) '",
            "Q",
        ];
        assert_eq!(operators_of(content), expected);
    }

    #[test]
    fn continues_after_malformed_input() {
        for (content, expected) in [
            (&b"(lost\n(kept) Tj"[..], vec!["(lost) (kept) Tj"]),
            (b"[(a) (b) TJ (kept) Tj", vec!["[2] TJ", "(kept) Tj"]),
            (b"<< /A (b) Tj", vec!["? Tj"]),
            (b") > ] } (kept) Tj", vec!["(kept) Tj"]),
            (b"1.2.3 --5 5-3 Td", vec!["1.2 -5 5 Td"]),
            (b"<4x1> Tj (kept) Tj", vec!["(@) x1", "Tj", "(kept) Tj"]),
            (
                b"BI /W 1 /H 1 /BPC 8 /CS /Anything ID \x00\xff(( EI Q\xfe\nEI\nQ (kept) Tj",
                vec!["BI", "Q", "(kept) Tj"],
            ),
            (b"BI /W 1 ID (( EI (kept) Tj", vec!["BI", "(kept) Tj"]),
            (b"BI (kept) Tj", vec!["BI", "(kept) Tj"]),
            (b"\xff\xfe\x01 (kept) Tj", vec!["\u{fffd}\u{fffd}\u{1}", "(kept) Tj"]),
            (b"", vec![]),
        ] {
            assert_eq!(operators_of(content), expected, "{}", String::from_utf8_lossy(content));
        }
        for hostile in [&b"["[..], b"<<", b"(\n", b"(", b"BI ", b"BI\nID\n", b"BI ID \nEIx"] {
            assert!(operators_of(&hostile.repeat(10_000)).len() <= 20_000);
        }
    }
}
