//! The header in front of each entry (APPNOTE 4.3.7), compared with the directory, and the data descriptor behind it (4.3.9).
//!
//! Readers of streams believe these headers, other readers the directory. Both have to get the same entry: name, method, encryption, sizes and
//! checksum agree. Times, the version needed, further flags and extra fields do not change what is read, and may differ.

use std::io::{Read, Seek};

use super::end::{DirectoryHeader, eight, four, read, two};

const SIGNATURE: &[u8] = b"PK\x03\x04";
const LENGTH: u64 = 30;
/// Flag bits (4.4.4): traditional encryption, strong encryption, masked headers.
const ENCRYPTION: u16 = 0x2041;
/// Flag bit 3: sizes and checksum stand in a data descriptor behind the data.
const STREAMED: u16 = 8;
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
const LONGEST_DESCRIPTOR: u64 = 24;
/// Extra fields: zip64 (4.5.3) and the Unicode path of Info-ZIP (4.6.9).
const ZIP64: u16 = 1;
const UNICODE_PATH: u16 = 0x7075;
/// The number of bytes that are searched at a time.
const BLOCK: u64 = 64 * 1024;

/// An entry as the directory describes it.
pub(super) struct Listed<'a> {
    pub(super) header: &'a DirectoryHeader,
    /// The name after extra fields were applied.
    pub(super) name: &'a [u8],
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) start: u64,
}

/// Compares an entry's own header with the directory. Returns where the entry ends, its data descriptor included.
///
/// `limit` is where the next entry or the directory begins. An error is to be read behind the name of the entry.
pub(super) fn compare(reader: &mut (impl Read + Seek), listed: &Listed<'_>, limit: u64) -> Result<u64, String> {
    let differs = |what: &str| Err(format!("has another {what} in its own header than in the directory"));
    let cut = |_| "has a header that can't be read".to_owned();
    let header = read(reader, listed.start, LENGTH).map_err(cut)?;
    if !header.starts_with(SIGNATURE) {
        return Err("has no header of its own".to_owned());
    }
    let (flags, method) = (two(&header, 6), two(&header, 8));
    let (name_length, extra_length) = (u64::from(two(&header, 26)), u64::from(two(&header, 28)));
    let behind = read(reader, listed.start + LENGTH, name_length + extra_length).map_err(cut)?;
    let (name, extra) = behind.split_at_checked(usize::from(two(&header, 26))).unwrap_or_default();
    let renamed = fields(extra).filter(|(id, _)| *id == UNICODE_PATH).find_map(|(_, data)| {
        let (crc, path) = data.split_at_checked(5)?;
        (four(crc, 1) == crc32fast::hash(name)).then_some(path)
    });
    if !same_name(name, &listed.header.name) || renamed.is_some_and(|path| !same_name(path, listed.name)) {
        return differs("name");
    }
    if method != listed.header.method {
        return differs("method of packing");
    }
    if (flags ^ listed.header.flags) & ENCRYPTION != 0 {
        return differs("encryption");
    }
    let streamed = flags & STREAMED != 0;
    let (packed, size) = sizes(&header, extra);
    let numbers = [
        (u64::from(four(&header, 14)), u64::from(listed.crc), "checksum"),
        (packed, listed.packed, "packed size"),
        (size, listed.size, "size"),
    ];
    let mut pending = false;
    for (own, wanted, what) in numbers {
        // What a writer puts there that does not know them yet.
        let unknown = streamed && matches!(own, 0 | 0xffff_ffff | u64::MAX);
        if own != wanted && !unknown {
            return differs(what);
        }
        pending |= own != wanted;
    }
    let end = [LENGTH, name_length, extra_length, listed.packed].iter().try_fold(listed.start, |end, more| {
        end.checked_add(*more).filter(|end| *end <= limit).ok_or("shares bytes with what stands behind it")
    })?;
    let gap = limit - end;
    if !streamed || gap == 0 {
        return Ok(end);
    }
    let behind = read(reader, end, gap.min(LONGEST_DESCRIPTOR)).map_err(cut)?;
    match descriptor(&behind, listed) {
        Some(length) => Ok(end + length),
        None if pending || behind.starts_with(DESCRIPTOR) => {
            Err("has other sizes or another checksum behind its data than in the directory".to_owned())
        }
        None => Ok(end),
    }
}

/// The length of the descriptor at the beginning of `bytes`: with a signature or without one, with sizes of 8 bytes or of 4.
fn descriptor(bytes: &[u8], listed: &Listed<'_>) -> Option<u64> {
    let wide = |size: u64| size.to_le_bytes().to_vec();
    let narrow = |size: u64| u32::try_from(size).ok().map(|size| size.to_le_bytes().to_vec());
    let crc = listed.crc.to_le_bytes().to_vec();
    let forms = [
        Some([crc.clone(), wide(listed.packed), wide(listed.size)].concat()),
        narrow(listed.packed).zip(narrow(listed.size)).map(|(packed, size)| [crc, packed, size].concat()),
    ];
    [DESCRIPTOR, b""].iter().find_map(|signature| {
        let rest = bytes.strip_prefix(*signature)?;
        let form = forms.iter().flatten().find(|form| rest.starts_with(form))?;
        Some((signature.len() + form.len()) as u64)
    })
}

/// The packed size and the size of an entry's own header, from its zip64 field where the header refers to that.
fn sizes(header: &[u8], extra: &[u8]) -> (u64, u64) {
    let (packed, size) = (four(header, 18), four(header, 22));
    let mut wide = fields(extra).find(|(id, _)| *id == ZIP64).map(|(_, data)| data).unwrap_or_default();
    let mut number = |own: u32| {
        if own != u32::MAX || wide.len() < 8 {
            return u64::from(own);
        }
        let number = eight(wide, 0);
        wide = wide.get(8..).unwrap_or_default();
        number
    };
    // In this order in the field, whatever the header's own.
    let size = number(size);
    (number(packed), size)
}

/// Extra fields with their ids, up to where they are damaged.
pub(super) fn fields(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, behind) = extra.split_at_checked(4)?;
        let (data, rest) = behind.split_at_checked(usize::from(two(head, 2)))?;
        extra = rest;
        Some((two(head, 0), data))
    })
}

/// Returns whether two names are the same, whichever separators they are written with.
fn same_name(one: &[u8], other: &[u8]) -> bool {
    let letter = |byte: &u8| if *byte == b'\\' { b'/' } else { *byte };
    one.iter().map(letter).eq(other.iter().map(letter))
}

/// Returns whether an entry that the directory does not list begins between `from` and `to`.
pub(super) fn hides_entry(reader: &mut (impl Read + Seek), from: u64, to: u64) -> bool {
    let mut at = from;
    while at.saturating_add(LENGTH) <= to {
        // A header may begin in one block and end in the next one.
        let length = (to - at).min(BLOCK + LENGTH);
        let Ok(block) = read(reader, at, length) else { return true };
        if block.windows(SIGNATURE.len()).any(|window| window == SIGNATURE) {
            return true;
        }
        at += BLOCK;
    }
    false
}
