//! The small file beside the part of a package, by which another call goes on with it: whose part it is, and how much of it is safe on disk.
//!
//! That is its first line. The lines behind it say what was written since, for a call whose process was killed: nobody waits for the disk for their sake,
//! so after a crash of the machine they may be missing or tell of bytes that are. Their checksums show it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::offer::Rest;
use super::sum::Sum;
use super::validator::Validator;
use crate::DownloadId;

/// The version that is written. One that is newer is not touched.
pub(super) const VERSION: u32 = 1;
/// More than any that we write.
const LONGEST: u64 = 64 * 1024;

/// What it says. There is nothing in it that opens anything: no token, no address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sidecar {
    version: u32,
    pub(crate) download_id: DownloadId,
    /// The first so many bytes of the part are on disk, whatever happens.
    pub(crate) bytes: u64,
    #[serde(default)]
    pub(crate) length: Option<u64>,
    #[serde(default)]
    pub(crate) validator: Option<Validator>,
    /// The name that the service suggested.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// What was written behind those bytes, by the last line.
    #[serde(skip)]
    behind: Sum,
}

/// What there was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Good(Sidecar),
    /// It says nothing that can be used.
    Damaged,
    Newer(u32),
    None,
}

impl Sidecar {
    pub(crate) fn new(download_id: DownloadId) -> Self {
        Self {
            version: VERSION,
            download_id,
            bytes: 0,
            length: None,
            validator: None,
            name: None,
            behind: Sum::default(),
        }
    }

    pub(crate) fn read(path: &Path) -> io::Result<Found> {
        let mut text = Vec::new();
        match File::open(path) {
            Ok(file) => file.take(LONGEST).read_to_end(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::None),
            Err(error) => return Err(error),
        };
        Ok(Self::parse(&text))
    }

    pub(super) fn parse(text: &[u8]) -> Found {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let mut lines = text.split(|byte| *byte == b'\n');
        let first = lines.next().unwrap_or_default();
        match serde_json::from_slice(first) {
            Ok(Versioned { version }) if version > VERSION => return Found::Newer(version),
            _ => {}
        }
        let Ok(mut read) = serde_json::from_slice::<Self>(first) else { return Found::Damaged };
        // One that was not written to its end has no meaning, and neither have those behind it.
        read.behind = lines.map_while(|line| serde_json::from_slice(line).ok()).last().unwrap_or_default();
        if read.is_sound() { Found::Good(read) } else { Found::Damaged }
    }

    fn is_sound(&self) -> bool {
        self.version == VERSION
            && self.length.is_none_or(|length| self.bytes <= length)
            && self.validator.as_ref().is_none_or(Validator::is_sound)
    }

    /// Puts it in the place of what is there: after a crash there is the old one or the new one.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let new = with_ending(path, ".new");
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(&serde_json::to_vec(self)?)?;
            file.sync_all()?;
            fs::rename(&new, path)
        });
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written
    }

    /// Notes what was written behind the safe bytes.
    pub(crate) fn note(path: &Path, behind: Sum) -> io::Result<()> {
        let mut line = vec![b'\n'];
        serde_json::to_writer(&mut line, &behind)?;
        OpenOptions::new().append(true).open(path)?.write_all(&line)
    }

    /// Takes what was written behind the safe bytes for safe, if it is all there.
    pub(crate) fn take_behind(&mut self, mut part: &File) -> io::Result<()> {
        let noted = std::mem::take(&mut self.behind);
        let mut found = Sum::default();
        part.seek(SeekFrom::Start(self.bytes))?;
        let mut rest = part.take(noted.bytes);
        let mut piece = vec![0; 64 * 1024];
        loop {
            match rest.read(&mut piece)? {
                0 => break,
                got => found.add(&piece[..got]),
            }
        }
        // Never more than there can be: lines can be damaged, too.
        let fits =
            self.bytes.checked_add(noted.bytes).is_some_and(|bytes| self.length.is_none_or(|length| bytes <= length));
        if noted.bytes > 0 && fits && found == noted {
            part.sync_data()?;
            self.bytes += noted.bytes;
        }
        Ok(())
    }

    /// What can be asked for to go on. Of what has come whole the last byte is asked for again, so that the service says whether it is still the same.
    pub(crate) fn rest(&self) -> Option<Rest> {
        let (length, validator) = (self.length?, self.validator.clone()?);
        let first = self.bytes.min(length.checked_sub(1)?);
        (first > 0).then_some(Rest { first, length, validator })
    }
}

/// A path with something behind its name.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(ending);
    text.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sidecar() -> Sidecar {
        Sidecar {
            bytes: 7,
            length: Some(10),
            validator: Some(Validator::Etag("\"a\"".into())),
            name: Some("Q3.zip".into()),
            ..Sidecar::new("d-1".parse().unwrap())
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip.part.json");
        assert_eq!(Sidecar::read(&path).unwrap(), Found::None);
        sidecar().write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let wanted =
            r#"{"version":1,"download_id":"d-1","bytes":7,"length":10,"validator":{"etag":"\"a\""},"name":"Q3.zip"}"#;
        assert_eq!(text, wanted);
        assert_eq!(Sidecar::read(&path).unwrap(), Found::Good(sidecar()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_can_not_be_is_damaged_and_what_is_newer_is_told() {
        let parse = |text: &str| Sidecar::parse(text.as_bytes());
        assert_eq!(parse(r#"{"version":2,"anything":[]}"#), Found::Newer(2));
        for damaged in [
            "",
            "{",
            "[]",
            r#"{"version":0,"download_id":"d-1","bytes":7}"#,
            r#"{"version":1,"download_id":"..","bytes":7}"#,
            r#"{"version":1,"download_id":"d-1","bytes":-7}"#,
            r#"{"version":1,"download_id":"d-1","bytes":7,"length":6}"#,
            r#"{"version":1,"download_id":"d-1","bytes":7,"validator":{"etag":"W/\"a\""}}"#,
            r#"{"version":1,"download_id":"d-1","bytes":7,"validator":{"etag":"\"a\"\r\nX: y"}}"#,
            r#"{"version":1,"download_id":"d-1","bytes":7,"validator":{"last_modified":"yesterday"}}"#,
        ] {
            assert_eq!(parse(damaged), Found::Damaged, "{damaged}");
        }
    }

    /// How many bytes the next call goes on behind, where `part` is what there is of the package, and the sidecar's lines are changed so.
    fn gone_on_behind(part: &[u8], change: impl FnOnce(String) -> String) -> u64 {
        let folder = tempfile::tempdir().unwrap();
        let [path, beside] = ["a.zip.part", "a.zip.part.json"].map(|name| folder.path().join(name));
        std::fs::write(&path, part).unwrap();
        let safe = Sidecar { bytes: 3, length: Some(10), ..sidecar() };
        safe.write(&beside).unwrap();
        let mut behind = Sum::default();
        for piece in [b"de".as_slice(), b"fgh"] {
            behind.add(piece);
            Sidecar::note(&beside, behind).unwrap();
        }
        let lines = change(std::fs::read_to_string(&beside).unwrap());
        std::fs::write(&beside, lines).unwrap();
        let Found::Good(mut read) = Sidecar::read(&beside).unwrap() else { unreachable!("it is good") };
        read.take_behind(&File::open(&path).unwrap()).unwrap();
        assert_eq!(Sidecar { bytes: 3, ..read.clone() }, safe, "nothing else has changed");
        read.bytes
    }

    #[test]
    fn what_was_written_since_counts_where_it_is_there() {
        let same = |text: String| text;
        assert_eq!(gone_on_behind(b"abcdefgh", same), 8);
        assert_eq!(gone_on_behind(b"abcdefghij", same), 8, "more was written, and not noted");
        for part in [b"abcdefg".as_slice(), b"abc", b"abcdefg\0", b"abc\0\0\0\0\0"] {
            assert_eq!(gone_on_behind(part, same), 3, "{part:?}");
        }
        let lines = |count: usize| move |text: String| text.split_inclusive('\n').take(count).collect::<String>();
        assert_eq!(gone_on_behind(b"abcdefgh", lines(2)), 5);
        assert_eq!(gone_on_behind(b"abcdefgh", lines(1)), 3);
        assert_eq!(
            gone_on_behind(b"abcdefgh", |text| text[..text.len() - 1].to_owned()),
            5,
            "the last line is cut off"
        );
        assert_eq!(gone_on_behind(b"abcdefgh", |text| text.replace('\n', "\n\0")), 3);
    }

    #[test]
    fn of_what_has_come_whole_the_last_byte_is_asked_for() {
        let rest = |bytes, length| Sidecar { bytes, length, ..sidecar() }.rest().map(|rest| rest.first);
        assert_eq!(rest(7, Some(10)), Some(7));
        assert_eq!(rest(10, Some(10)), Some(9));
        assert_eq!((rest(0, Some(10)), rest(0, Some(0)), rest(1, Some(1)), rest(7, None)), (None, None, None, None));
        assert_eq!(Sidecar { validator: None, ..sidecar() }.rest(), None);
    }

    proptest! {
        #![proptest_config(crate::properties::cases(256))]

        #[test]
        fn any_bytes_are_read_without_trouble(text in "\\{?(\"version\": ?[12],?)?.{0,60}\\}?", cut in 0..100_usize) {
            let _ = Sidecar::parse(text.as_bytes());
            let whole = serde_json::to_vec(&sidecar()).unwrap();
            if cut < whole.len() {
                prop_assert_eq!(Sidecar::parse(&whole[..cut]), Found::Damaged);
            }
        }
    }
}
