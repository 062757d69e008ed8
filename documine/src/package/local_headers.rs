//! The local header of each entry (APPNOTE 4.3.7) and its data descriptor (4.3.9), compared with the central directory.
//!
//! Streaming readers use local headers, other readers the directory. Both must see the same entry, so name, compression method, encryption,
//! sizes and checksum must agree. Times, the version needed, other flags and extra fields do not affect the content and may differ.

use std::io::{Read, Seek};

use super::central_directory::{RawHeader, extra_fields};
use crate::transfer::download::zip_end::{read_at, u16_at, u32_at, u64_at};

const SIGNATURE: &[u8] = b"PK\x03\x04";
const LENGTH: u64 = 30;
/// Flag bits (4.4.4): traditional encryption, strong encryption, masked headers.
const ENCRYPTION: u16 = 0x2041;
/// Flag bit 3: sizes and checksum follow the data in a data descriptor.
const STREAMED: u16 = 8;
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
const MAX_DESCRIPTOR_LENGTH: u64 = 24;
/// Extra fields: zip64 (4.5.3) and the Unicode path of Info-ZIP (4.6.9).
const ZIP64: u16 = 1;
const UNICODE_PATH: u16 = 0x7075;
/// Bytes that are searched at a time.
const BLOCK_SIZE: u64 = 64 * 1024;

/// An entry as described by the central directory.
pub(super) struct ListedEntry<'a> {
    pub(super) header: &'a RawHeader,
    /// The name after applying extra fields.
    pub(super) name: &'a [u8],
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) start: u64,
}

/// Compares the local header of an entry with the directory. Returns the end offset of the entry, data descriptor included.
///
/// `limit` is the offset of the next entry or of the directory. The error text completes `entry NAME: `.
pub(super) fn compare(reader: &mut (impl Read + Seek), listed: &ListedEntry<'_>, limit: u64) -> Result<u64, String> {
    let mismatch = |field: &str| Err(format!("{field} differs between local header and central directory"));
    let unreadable = |_| "unreadable local header".to_owned();
    let header = read_at(reader, listed.start, LENGTH).map_err(unreadable)?;
    if !header.starts_with(SIGNATURE) {
        return Err("no local header".to_owned());
    }
    let (flags, method) = (u16_at(&header, 6), u16_at(&header, 8));
    let (name_length, extra_length) = (u64::from(u16_at(&header, 26)), u64::from(u16_at(&header, 28)));
    let variable = read_at(reader, listed.start + LENGTH, name_length + extra_length).map_err(unreadable)?;
    let (name, extra) = variable.split_at_checked(usize::from(u16_at(&header, 26))).unwrap_or_default();
    let renamed = extra_fields(extra).filter(|(id, _)| *id == UNICODE_PATH).find_map(|(_, data)| {
        let (crc, path) = data.split_at_checked(5)?;
        (u32_at(crc, 1) == crc32fast::hash(name)).then_some(path)
    });
    if !same_name(name, &listed.header.name) || renamed.is_some_and(|path| !same_name(path, listed.name)) {
        return mismatch("name");
    }
    if method != listed.header.method {
        return mismatch("compression method");
    }
    if (flags ^ listed.header.flags) & ENCRYPTION != 0 {
        return mismatch("encryption");
    }
    let streamed = flags & STREAMED != 0;
    let (packed, size) = sizes(&header, extra);
    let numbers = [
        (u64::from(u32_at(&header, 14)), u64::from(listed.crc), "checksum"),
        (packed, listed.packed, "packed size"),
        (size, listed.size, "size"),
    ];
    let mut pending = false;
    for (local, stated, field) in numbers {
        // Placeholders of writers that do not know the value yet.
        let unknown = streamed && matches!(local, 0 | 0xffff_ffff | u64::MAX);
        if local != stated && !unknown {
            return mismatch(field);
        }
        pending |= local != stated;
    }
    let end = [LENGTH, name_length, extra_length, listed.packed].iter().try_fold(listed.start, |end, more| {
        end.checked_add(*more).filter(|end| *end <= limit).ok_or("overlaps the following data")
    })?;
    let gap = limit - end;
    if !streamed || gap == 0 {
        return Ok(end);
    }
    let following = read_at(reader, end, gap.min(MAX_DESCRIPTOR_LENGTH)).map_err(unreadable)?;
    match descriptor_length(&following, listed) {
        Some(length) => Ok(end + length),
        None if pending || following.starts_with(DESCRIPTOR) => {
            Err("sizes or checksum differ between data descriptor and central directory".to_owned())
        }
        None => Ok(end),
    }
}

/// Returns the length of the data descriptor at the start of `bytes`: with or without a signature, with sizes of 8 or 4 bytes.
fn descriptor_length(bytes: &[u8], listed: &ListedEntry<'_>) -> Option<u64> {
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

/// Returns packed size and size of a local header, from the zip64 field if the header refers to that field.
fn sizes(header: &[u8], extra: &[u8]) -> (u64, u64) {
    let (packed, size) = (u32_at(header, 18), u32_at(header, 22));
    let mut wide = extra_fields(extra).find(|(id, _)| *id == ZIP64).map(|(_, data)| data).unwrap_or_default();
    let mut number = |narrow: u32| {
        if narrow != u32::MAX || wide.len() < 8 {
            return u64::from(narrow);
        }
        let number = u64_at(wide, 0);
        wide = wide.get(8..).unwrap_or_default();
        number
    };
    // The zip64 field stores the size first, unlike the header.
    let size = number(size);
    (number(packed), size)
}

/// Compares two names; `/` and `\` are equal.
fn same_name(one: &[u8], other: &[u8]) -> bool {
    let with_slash = |byte: &u8| if *byte == b'\\' { b'/' } else { *byte };
    one.iter().map(with_slash).eq(other.iter().map(with_slash))
}

/// Returns whether a local header signature occurs between two offsets. A read error counts as a match.
pub(super) fn contains_header(reader: &mut (impl Read + Seek), from: u64, to: u64) -> bool {
    let mut at = from;
    while at.saturating_add(LENGTH) <= to {
        // Blocks overlap by one header length, so a header across a block boundary is found.
        let length = (to - at).min(BLOCK_SIZE + LENGTH);
        let Ok(block) = read_at(reader, at, length) else { return true };
        if block.windows(SIGNATURE.len()).any(|window| window == SIGNATURE) {
            return true;
        }
        at += BLOCK_SIZE;
    }
    false
}
