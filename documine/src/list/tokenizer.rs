//! Incremental tokenizer: finds the items of the one list in a response as its bytes arrive, in chunks of any size.
//!
//! The tokenizer finds only boundaries: strings, brackets, commas. serde_json decodes the bytes between them, one item at a time. An event parser for
//! every JSON token would do the same work twice, and none returns the bytes of an item as a whole: struson requires a blocking reader, actson copies
//! all bytes through its own buffer.

use std::fmt;

/// The maximum number of open brackets, one less than the limit of serde_json.
const MAX_DEPTH: u32 = 127;

/// A token of a response with a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ListToken<'a> {
    /// An item of the list.
    Item(&'a [u8]),
    /// An item above the size limit; its bytes were discarded.
    OversizedItem,
    /// Another member of the object around the list: its name as quoted JSON, and its value.
    Member(&'a [u8], &'a [u8]),
}

/// The reason why a response is not an object with a list. No token can be found after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SyntaxError {
    Expected(&'static str),
    UnexpectedEnd,
    TrailingData,
    DuplicateList,
    TooDeep,
    /// A member beside the list exceeds the limit in bytes.
    MemberTooLarge(usize),
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(expected) => write!(f, "invalid JSON: expected {expected}"),
            Self::UnexpectedEnd => f.write_str("unexpected end of the body"),
            Self::TrailingData => f.write_str("unexpected data after the JSON value"),
            Self::DuplicateList => f.write_str("the list appears twice"),
            Self::TooDeep => write!(f, "more than {MAX_DEPTH} nested brackets"),
            Self::MemberTooLarge(limit) => {
                write!(f, "the members beside the list exceed the limit of {limit} bytes (max_item_size)")
            }
        }
    }
}

/// The part of the response that the tokenizer expects next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// A byte order mark, with the number of its bytes so far, or the object.
    ByteOrderMark(usize),
    Object,
    /// The literal `null` instead of the object, with the number of its bytes so far.
    Null(usize),
    FirstName,
    NextName,
    Name,
    Colon,
    Value,
    Member,
    FirstItem,
    NextItem,
    Item,
    ItemEnd,
    MemberEnd,
    End,
}

/// The tokenizer of one response.
pub(super) struct ListTokenizer {
    /// The name of the member with the list.
    list: &'static str,
    limit: usize,
    expected: Expect,
    scanner: ValueScanner,
    name: Vec<u8>,
    /// The value in progress, or the value of the last token.
    value: Vec<u8>,
    is_oversized: bool,
    has_list: bool,
}

impl ListTokenizer {
    /// Creates a tokenizer for an object whose member `list` contains the items. Values above `limit` bytes are discarded.
    pub(super) fn new(list: &'static str, limit: usize) -> Self {
        let (name, value) = (Vec::new(), Vec::new());
        let (expected, scanner) = (Expect::ByteOrderMark(0), ValueScanner::default());
        Self { list, limit, expected, scanner, name, value, is_oversized: false, has_list: false }
    }

    /// Consumes `input` up to the end of the next token. `None` if all input is consumed and more is needed.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<ListToken<'_>>, SyntaxError> {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        const NULL: &[u8] = b"null";
        loop {
            if !matches!(
                self.expected,
                Expect::ByteOrderMark(_) | Expect::Null(_) | Expect::Name | Expect::Member | Expect::Item
            ) {
                let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
                *input = &input[input.iter().position(|byte| !blank(byte)).unwrap_or(input.len())..];
            }
            let Some(&byte) = input.first() else { return Ok(None) };
            let (next, consumed) = match (self.expected, byte) {
                (Expect::ByteOrderMark(matched), _) if BYTE_ORDER_MARK.get(matched) == Some(&byte) => (
                    if matched + 1 == BYTE_ORDER_MARK.len() {
                        Expect::Object
                    } else {
                        Expect::ByteOrderMark(matched + 1)
                    },
                    1,
                ),
                (Expect::ByteOrderMark(0), _) => (Expect::Object, 0),
                (Expect::Object, b'{') => (Expect::FirstName, 1),
                (Expect::Object, b'n') => (Expect::Null(1), 1),
                (Expect::Null(matched), _) if NULL.get(matched) == Some(&byte) => {
                    (if matched + 1 == NULL.len() { Expect::End } else { Expect::Null(matched + 1) }, 1)
                }
                (Expect::ByteOrderMark(_) | Expect::Object | Expect::Null(_), _) => {
                    return Err(SyntaxError::Expected("an object"));
                }
                (Expect::FirstName | Expect::MemberEnd, b'}') => (Expect::End, 1),
                (Expect::FirstName | Expect::NextName, b'"') => {
                    self.name.clear();
                    self.scanner = ValueScanner::default();
                    (Expect::Name, 0)
                }
                (Expect::FirstName | Expect::NextName, _) => return Err(SyntaxError::Expected("a member name")),
                (Expect::Name, _) => {
                    let (end, done) = self.scanner.advance(input)?;
                    if self.name.len() + end > self.limit {
                        return Err(SyntaxError::MemberTooLarge(self.limit));
                    }
                    self.name.extend_from_slice(&input[..end]);
                    (if done { Expect::Colon } else { Expect::Name }, end)
                }
                (Expect::Colon, b':') => (Expect::Value, 1),
                (Expect::Colon, _) => return Err(SyntaxError::Expected("a colon")),
                (Expect::Value, b'[') if self.is_list() => {
                    if std::mem::replace(&mut self.has_list, true) {
                        return Err(SyntaxError::DuplicateList);
                    }
                    (Expect::FirstItem, 1)
                }
                (Expect::Value, _) => (self.begin(byte, Expect::Member)?, 0),
                (Expect::FirstItem | Expect::ItemEnd, b']') => (Expect::MemberEnd, 1),
                (Expect::FirstItem | Expect::NextItem, _) => (self.begin(byte, Expect::Item)?, 0),
                (Expect::ItemEnd, b',') => (Expect::NextItem, 1),
                (Expect::ItemEnd, _) => return Err(SyntaxError::Expected("a comma between two items")),
                (Expect::Member | Expect::Item, _) => {
                    let (end, done) = self.scanner.advance(input)?;
                    self.append(&input[..end]);
                    if done {
                        *input = &input[end..];
                        return self.take_value().map(Some);
                    }
                    (self.expected, end)
                }
                (Expect::MemberEnd, b',') => (Expect::NextName, 1),
                (Expect::MemberEnd, _) => return Err(SyntaxError::Expected("a comma between two members")),
                (Expect::End, _) => return Err(SyntaxError::TrailingData),
            };
            self.expected = next;
            *input = &input[consumed..];
        }
    }

    /// Checks that the response is complete. A response without content is an empty list.
    pub(super) fn finish(&self) -> Result<(), SyntaxError> {
        if matches!(self.expected, Expect::End | Expect::ByteOrderMark(0) | Expect::Object) {
            Ok(())
        } else {
            Err(SyntaxError::UnexpectedEnd)
        }
    }

    /// Returns whether the current position is within the list.
    pub(super) fn in_list(&self) -> bool {
        matches!(self.expected, Expect::FirstItem | Expect::NextItem | Expect::Item | Expect::ItemEnd)
    }

    fn is_list(&self) -> bool {
        let written = self.name.get(1..self.name.len().saturating_sub(1)).unwrap_or_default();
        written == self.list.as_bytes()
            || (written.contains(&b'\\')
                && serde_json::from_slice::<String>(&self.name).is_ok_and(|name| name == self.list))
    }

    fn begin(&mut self, byte: u8, expected: Expect) -> Result<Expect, SyntaxError> {
        if matches!(byte, b',' | b':' | b']' | b'}') {
            return Err(SyntaxError::Expected("a value"));
        }
        self.scanner = ValueScanner::default();
        self.value.clear();
        self.is_oversized = false;
        Ok(expected)
    }

    fn append(&mut self, bytes: &[u8]) {
        self.is_oversized |= self.value.len() + bytes.len() > self.limit;
        if self.is_oversized {
            self.value = Vec::new();
        } else {
            self.value.extend_from_slice(bytes);
        }
    }

    /// Returns the completed value as a token.
    fn take_value(&mut self) -> Result<ListToken<'_>, SyntaxError> {
        let is_item = self.expected == Expect::Item;
        self.expected = if is_item { Expect::ItemEnd } else { Expect::MemberEnd };
        match (is_item, self.is_oversized) {
            (true, true) => Ok(ListToken::OversizedItem),
            (true, false) => Ok(ListToken::Item(&self.value)),
            (false, true) => Err(SyntaxError::MemberTooLarge(self.limit)),
            (false, false) => Ok(ListToken::Member(&self.name, &self.value)),
        }
    }
}

/// Finds the end of one JSON value.
#[derive(Debug, Clone, Copy, Default)]
struct ValueScanner {
    state: ScanState,
    depth: u32,
    /// One bit per open bracket, set for a square one; the innermost is the lowest bit.
    square_brackets: u128,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum ScanState {
    #[default]
    OutsideString,
    String,
    /// After a backslash in a string.
    Escape,
    /// In a number or literal that is the whole value.
    Scalar,
}

impl ValueScanner {
    /// Returns the length of the value's part of the non-empty `input`, and whether the value ends there.
    fn advance(&mut self, input: &[u8]) -> Result<(usize, bool), SyntaxError> {
        let mut offset = 0;
        while let Some(&byte) = input.get(offset) {
            match (self.state, byte) {
                (ScanState::String, _) => {
                    let Some(length) = input[offset..].iter().position(|byte| matches!(byte, b'"' | b'\\')) else {
                        return Ok((input.len(), false));
                    };
                    offset += length;
                    self.state = if input[offset] == b'"' { ScanState::OutsideString } else { ScanState::Escape };
                    if self.state == ScanState::OutsideString && self.depth == 0 {
                        return Ok((offset + 1, true));
                    }
                }
                (ScanState::Scalar, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r') => return Ok((offset, true)),
                (ScanState::OutsideString, b'"') | (ScanState::Escape, _) => self.state = ScanState::String,
                (ScanState::OutsideString, b'{' | b'[') => {
                    if self.depth == MAX_DEPTH {
                        return Err(SyntaxError::TooDeep);
                    }
                    self.depth += 1;
                    self.square_brackets = (self.square_brackets << 1) | u128::from(byte == b'[');
                }
                (ScanState::OutsideString, b'}' | b']') => {
                    if self.depth == 0 || (self.square_brackets & 1 == 1) != (byte == b']') {
                        return Err(SyntaxError::Expected("the matching closing bracket"));
                    }
                    self.depth -= 1;
                    self.square_brackets >>= 1;
                    if self.depth == 0 {
                        return Ok((offset + 1, true));
                    }
                }
                (ScanState::OutsideString, _) if self.depth == 0 => self.state = ScanState::Scalar,
                (ScanState::OutsideString | ScanState::Scalar, _) => {}
            }
            offset += 1;
        }
        Ok((input.len(), false))
    }
}

#[cfg(test)]
mod properties;
