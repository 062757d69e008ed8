//! Finds the elements of the one list in an answer as its bytes come in, whatever pieces they come in.
//!
//! It looks for boundaries only: strings, brackets, commas. What stands between them, serde_json reads, one element at a time. A parser that
//! makes events of every token would do the same work twice, and none takes the bytes of an element out whole: struson wants a blocking
//! reader, actson copies everything through a buffer of its own.

use std::fmt;

/// The most brackets that may be open at once; serde_json draws its line one further.
const DEEPEST: u32 = 127;

/// What is found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// An element of the list.
    Item(&'a [u8]),
    /// An element that is larger than the limit; its bytes are gone.
    TooLarge,
    /// Another member of the object around the list: its name, as it is written, and its value.
    Member(&'a [u8], &'a [u8]),
}

/// Why the bytes are not an object with a list in it. Behind this point nothing can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Something else stands there.
    Expected(&'static str),
    /// The bytes end before the object does.
    Cut,
    /// Something stands behind the object.
    Trailing,
    /// The list is there twice.
    Twice,
    TooDeep,
    /// Something beside the list is larger than the limit.
    MemberTooLarge(usize),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(what) => write!(f, "it is not the JSON of a list: {what} is missing"),
            Self::Cut => f.write_str("it ends in the middle"),
            Self::Trailing => f.write_str("something follows the JSON of the body"),
            Self::Twice => f.write_str("the list is there twice"),
            Self::TooDeep => write!(f, "more than {DEEPEST} brackets are open at once"),
            Self::MemberTooLarge(limit) => {
                write!(f, "what stands beside the list is larger than {limit} bytes, the most that is kept")
            }
        }
    }
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A byte order mark, of which so many bytes were seen, or the object.
    Mark(usize),
    Object,
    /// The word `null` in place of the object, of which so many bytes were seen.
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

/// The way through one answer.
pub(super) struct Splitter {
    /// What the member with the list is called.
    list: &'static str,
    limit: usize,
    place: Place,
    scan: Scan,
    name: Vec<u8>,
    /// Of a value that is not whole yet, or was given out last.
    value: Vec<u8>,
    too_large: bool,
    found: bool,
}

impl Splitter {
    /// For an object whose member `list` holds the elements. None is kept that is larger than `limit` bytes.
    pub(super) fn new(list: &'static str, limit: usize) -> Self {
        let (name, value) = (Vec::new(), Vec::new());
        let place = Place::Mark(0);
        Self { list, limit, place, scan: Scan::default(), name, value, too_large: false, found: false }
    }

    /// Takes from `input` up to the end of the next piece. `None`: all of it is taken, and more is needed.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Piece<'_>>, Flaw> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        const NULL: &[u8] = b"null";
        loop {
            if !matches!(self.place, Place::Mark(_) | Place::Null(_) | Place::Name | Place::Member | Place::Item) {
                let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
                *input = &input[input.iter().position(|byte| !blank(byte)).unwrap_or(input.len())..];
            }
            let Some(&byte) = input.first() else { return Ok(None) };
            let (next, taken) = match (self.place, byte) {
                (Place::Mark(seen), _) if MARK.get(seen) == Some(&byte) => {
                    (if seen + 1 == MARK.len() { Place::Object } else { Place::Mark(seen + 1) }, 1)
                }
                (Place::Mark(0), _) => (Place::Object, 0),
                (Place::Object, b'{') => (Place::FirstName, 1),
                (Place::Object, b'n') => (Place::Null(1), 1),
                (Place::Null(seen), _) if NULL.get(seen) == Some(&byte) => {
                    (if seen + 1 == NULL.len() { Place::End } else { Place::Null(seen + 1) }, 1)
                }
                (Place::Mark(_) | Place::Object | Place::Null(_), _) => return Err(Flaw::Expected("the object")),
                (Place::FirstName | Place::MemberEnd, b'}') => (Place::End, 1),
                (Place::FirstName | Place::NextName, b'"') => {
                    self.name.clear();
                    self.scan = Scan::default();
                    (Place::Name, 0)
                }
                (Place::FirstName | Place::NextName, _) => return Err(Flaw::Expected("the name of a member")),
                (Place::Name, _) => {
                    let (end, done) = self.scan.advance(input)?;
                    if self.name.len() + end > self.limit {
                        return Err(Flaw::MemberTooLarge(self.limit));
                    }
                    self.name.extend_from_slice(&input[..end]);
                    (if done { Place::Colon } else { Place::Name }, end)
                }
                (Place::Colon, b':') => (Place::Value, 1),
                (Place::Colon, _) => return Err(Flaw::Expected("a colon")),
                (Place::Value, b'[') if self.is_list() => {
                    if std::mem::replace(&mut self.found, true) {
                        return Err(Flaw::Twice);
                    }
                    (Place::FirstItem, 1)
                }
                (Place::Value, _) => (self.begin(byte, Place::Member)?, 0),
                (Place::FirstItem | Place::ItemEnd, b']') => (Place::MemberEnd, 1),
                (Place::FirstItem | Place::NextItem, _) => (self.begin(byte, Place::Item)?, 0),
                (Place::ItemEnd, b',') => (Place::NextItem, 1),
                (Place::ItemEnd, _) => return Err(Flaw::Expected("a comma between two elements")),
                (Place::Member | Place::Item, _) => {
                    let (end, done) = self.scan.advance(input)?;
                    self.keep(&input[..end]);
                    if done {
                        *input = &input[end..];
                        return self.give().map(Some);
                    }
                    (self.place, end)
                }
                (Place::MemberEnd, b',') => (Place::NextName, 1),
                (Place::MemberEnd, _) => return Err(Flaw::Expected("a comma between two members")),
                (Place::End, _) => return Err(Flaw::Trailing),
            };
            self.place = next;
            *input = &input[taken..];
        }
    }

    /// Checks that the response may end here. A response without content has a list without elements.
    pub(super) fn finish(&self) -> Result<(), Flaw> {
        if matches!(self.place, Place::End | Place::Mark(0) | Place::Object) { Ok(()) } else { Err(Flaw::Cut) }
    }

    /// Whether the way is within the list.
    pub(super) fn in_list(&self) -> bool {
        matches!(self.place, Place::FirstItem | Place::NextItem | Place::Item | Place::ItemEnd)
    }

    fn is_list(&self) -> bool {
        let written = self.name.get(1..self.name.len().saturating_sub(1)).unwrap_or_default();
        written == self.list.as_bytes()
            || (written.contains(&b'\\')
                && serde_json::from_slice::<String>(&self.name).is_ok_and(|name| name == self.list))
    }

    fn begin(&mut self, byte: u8, place: Place) -> Result<Place, Flaw> {
        if matches!(byte, b',' | b':' | b']' | b'}') {
            return Err(Flaw::Expected("a value"));
        }
        self.scan = Scan::default();
        self.value.clear();
        self.too_large = false;
        Ok(place)
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.too_large |= self.value.len() + bytes.len() > self.limit;
        if self.too_large {
            self.value = Vec::new();
        } else {
            self.value.extend_from_slice(bytes);
        }
    }

    /// The value that has come to its end.
    fn give(&mut self) -> Result<Piece<'_>, Flaw> {
        let is_item = self.place == Place::Item;
        self.place = if is_item { Place::ItemEnd } else { Place::MemberEnd };
        match (is_item, self.too_large) {
            (true, true) => Ok(Piece::TooLarge),
            (true, false) => Ok(Piece::Item(&self.value)),
            (false, true) => Err(Flaw::MemberTooLarge(self.limit)),
            (false, false) => Ok(Piece::Member(&self.name, &self.value)),
        }
    }
}

/// The way through one value.
#[derive(Debug, Clone, Copy, Default)]
struct Scan {
    at: At,
    depth: u32,
    /// Of each bracket that is open whether it is a square one; the innermost is the lowest bit.
    square: u128,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum At {
    /// Outside of strings.
    #[default]
    Open,
    Text,
    /// Behind a backslash in a string.
    Escape,
    /// In a number or a word that is the whole value.
    Bare,
}

impl Scan {
    /// How much of `input`, which is not empty, belongs to the value, and whether the value ends there.
    fn advance(&mut self, input: &[u8]) -> Result<(usize, bool), Flaw> {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            match (self.at, byte) {
                (At::Text, _) => {
                    let Some(step) = input[at..].iter().position(|byte| matches!(byte, b'"' | b'\\')) else {
                        return Ok((input.len(), false));
                    };
                    at += step;
                    self.at = if input[at] == b'"' { At::Open } else { At::Escape };
                    if self.at == At::Open && self.depth == 0 {
                        return Ok((at + 1, true));
                    }
                }
                (At::Bare, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r') => return Ok((at, true)),
                (At::Open, b'"') | (At::Escape, _) => self.at = At::Text,
                (At::Open, b'{' | b'[') => {
                    if self.depth == DEEPEST {
                        return Err(Flaw::TooDeep);
                    }
                    self.depth += 1;
                    self.square = (self.square << 1) | u128::from(byte == b'[');
                }
                (At::Open, b'}' | b']') => {
                    if self.depth == 0 || (self.square & 1 == 1) != (byte == b']') {
                        return Err(Flaw::Expected("the bracket that closes"));
                    }
                    self.depth -= 1;
                    self.square >>= 1;
                    if self.depth == 0 {
                        return Ok((at + 1, true));
                    }
                }
                (At::Open, _) if self.depth == 0 => self.at = At::Bare,
                (At::Open | At::Bare, _) => {}
            }
            at += 1;
        }
        Ok((input.len(), false))
    }
}

#[cfg(test)]
mod properties;
