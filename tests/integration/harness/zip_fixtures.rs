//! ZIP archives written byte by byte (APPNOTE 4.3), for archives that no library writes.

/// An archive entry with freely chosen headers and data.
#[derive(Clone)]
pub struct RawEntry {
    pub name: Vec<u8>,
    /// Name in the local header, if it differs from the directory.
    pub local_name: Option<Vec<u8>>,
    /// Data as stored in the archive.
    pub compressed: Vec<u8>,
    pub size: u32,
    pub crc: u32,
    pub method: u16,
    pub flags: u16,
    /// Unix file mode.
    pub mode: u32,
    /// Offset of the local header as stated in the directory, if wrong.
    pub offset: Option<u32>,
    /// Extra fields in the directory.
    pub extra: Vec<u8>,
    /// Differences of the local header from the directory.
    pub local_header: LocalHeader,
    /// Bytes after the data, for example a data descriptor.
    pub trailer: Vec<u8>,
}

/// Fields of a local header that differ from the directory.
#[derive(Clone, Default)]
pub struct LocalHeader {
    pub version: Option<u16>,
    pub flags: Option<u16>,
    pub method: Option<u16>,
    pub time: Option<u16>,
    pub crc: Option<u32>,
    pub compressed: Option<u32>,
    pub size: Option<u32>,
    pub extra: Vec<u8>,
}

impl RawEntry {
    /// Creates a stored file.
    pub fn file(name: impl AsRef<[u8]>, bytes: &[u8]) -> Self {
        Self {
            name: name.as_ref().to_vec(),
            local_name: None,
            compressed: bytes.to_vec(),
            size: u32::try_from(bytes.len()).unwrap(),
            crc: crc32(bytes),
            method: 0,
            flags: 0,
            mode: 0o100_644,
            offset: None,
            extra: Vec::new(),
            local_header: LocalHeader::default(),
            trailer: Vec::new(),
        }
    }

    /// Creates a file compressed with deflate.
    pub fn deflated(name: &str, bytes: &[u8]) -> Self {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        archive.start_file("x", options).unwrap();
        std::io::Write::write_all(&mut archive, bytes).unwrap();
        let whole = archive.finish().unwrap();
        let mut archive = zip::ZipArchive::new(whole).unwrap();
        let mut compressed = Vec::new();
        std::io::Read::read_to_end(&mut archive.by_index_raw(0).unwrap(), &mut compressed).unwrap();
        Self { compressed, method: 8, ..Self::file(name, bytes) }
    }
}

/// Writes an archive of the entries.
pub fn raw_archive(entries: &[RawEntry]) -> Vec<u8> {
    let (mut out, directory) = entries_and_directory(entries, 0);
    let (start, count) = (out.len(), u16::try_from(entries.len()).unwrap());
    out.extend(&directory);
    let fits = |count: usize| u32::try_from(count).unwrap();
    out.extend(end_record(count, fits(directory.len()), fits(start)));
    out
}

/// Writes an archive with a zip64 end record that states `count` entries.
pub fn raw_zip64_archive(entries: &[RawEntry], count: u64) -> Vec<u8> {
    let (mut out, directory) = entries_and_directory(entries, 0);
    let start = out.len() as u64;
    out.extend(&directory);
    let offset = out.len() as u64;
    out.extend(b"PK\x06\x06");
    out.extend(44_u64.to_le_bytes());
    out.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for value in [count, count, directory.len() as u64, start] {
        out.extend(value.to_le_bytes());
    }
    out.extend(b"PK\x06\x07\0\0\0\0");
    out.extend(offset.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    out.extend(end_record(u16::MAX, u32::MAX, u32::MAX));
    out
}

/// Writes an end of central directory record (APPNOTE 4.3.16).
pub fn end_record(count: u16, length: u32, start: u32) -> Vec<u8> {
    let mut out = b"PK\x05\x06\0\0\0\0".to_vec();
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// Returns the entries and their directory for an archive that begins with `before` other bytes.
pub fn entries_and_directory(entries: &[RawEntry], before: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = entry.offset.unwrap_or_else(|| u32::try_from(before + out.len()).unwrap());
        let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_le_bytes();
        let local = entry.local_name.as_ref().unwrap_or(&entry.name);
        let (local_header, compressed) = (&entry.local_header, u32::try_from(entry.compressed.len()).unwrap());
        out.extend(b"PK\x03\x04");
        for value in [
            local_header.version.unwrap_or(20),
            local_header.flags.unwrap_or(entry.flags),
            local_header.method.unwrap_or(entry.method),
            local_header.time.unwrap_or(0),
            0x21,
        ] {
            out.extend(value.to_le_bytes());
        }
        for value in [
            local_header.crc.unwrap_or(entry.crc),
            local_header.compressed.unwrap_or(compressed),
            local_header.size.unwrap_or(entry.size),
        ] {
            out.extend(value.to_le_bytes());
        }
        out.extend(length(local));
        out.extend(length(&local_header.extra));
        out.extend(local);
        out.extend(&local_header.extra);
        out.extend(&entry.compressed);
        out.extend(&entry.trailer);
        directory.extend(b"PK\x01\x02\x14\x03");
        for value in [20, entry.flags, entry.method, 0, 0x21] {
            directory.extend(value.to_le_bytes());
        }
        for value in [entry.crc, compressed, entry.size] {
            directory.extend(value.to_le_bytes());
        }
        directory.extend(length(&entry.name));
        directory.extend(length(&entry.extra));
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&entry.name);
        directory.extend(&entry.extra);
    }
    (out, directory)
}

/// Computes the ZIP checksum (CRC-32) bit by bit.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}
