//! A file that several readers read at once, each at a place of its own.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// One reader's place in a file. A clone is another reader of the same open file, whatever becomes of the file's name.
#[derive(Debug, Clone)]
pub(super) struct At {
    file: Arc<File>,
    position: u64,
}

impl At {
    pub(super) fn new(file: File) -> Self {
        Self { file: Arc::new(file), position: 0 }
    }
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let count = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.position)?;
        #[cfg(windows)]
        let count = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for At {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let wanted = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.file.metadata()?.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = wanted.ok_or_else(|| io::Error::other("a place before the beginning of the file"))?;
        Ok(self.position)
    }
}
