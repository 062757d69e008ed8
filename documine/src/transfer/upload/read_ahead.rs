//! Reads a file ahead on the blocking thread pool: while a piece is sent, the next one is read.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::task::JoinHandle;

/// Bytes that are read at a time. Each read costs a switch to another thread and back.
pub(super) const PIECE_SIZE: usize = 256 * 1024;
/// Limit on the pieces whose memory is reused. The HTTP client holds two pieces that wait for the socket, and one is read ahead.
const MAX_REUSED: usize = 4;

/// A file that is read in pieces. Pieces that were sent lend their memory to later ones.
pub(super) struct ReadAhead {
    file: Arc<File>,
    /// The next piece.
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    /// Earlier pieces, the oldest first.
    sent: VecDeque<Bytes>,
}

impl ReadAhead {
    pub(super) fn new(file: Arc<File>) -> Self {
        Self { file, reading: None, sent: VecDeque::new() }
    }

    /// Returns the next bytes of the file; none at its end.
    pub(super) async fn next(&mut self) -> io::Result<Bytes> {
        let reading = match self.reading.take() {
            Some(reading) => reading,
            None => self.start(),
        };
        let piece = reading.await.map_err(io::Error::other)??;
        // A shorter piece is the last one.
        if piece.len() == PIECE_SIZE {
            self.sent.push_back(piece.clone());
            self.reading = Some(self.start());
        }
        Ok(piece)
    }

    fn start(&mut self) -> JoinHandle<io::Result<Bytes>> {
        let file = Arc::clone(&self.file);
        let memory = self.reusable().unwrap_or_else(|| BytesMut::zeroed(PIECE_SIZE));
        tokio::task::spawn_blocking(move || read_piece(&file, memory))
    }

    /// Returns the memory of the oldest piece if the piece was sent.
    fn reusable(&mut self) -> Option<BytesMut> {
        let oldest = self.sent.pop_front()?;
        let still_used = match oldest.try_into_mut() {
            Ok(memory) => return Some(memory),
            Err(oldest) => oldest,
        };
        if self.sent.len() < MAX_REUSED {
            self.sent.push_front(still_used);
        }
        None
    }
}

/// Fills the memory as far as the file reaches.
fn read_piece(mut file: &File, mut memory: BytesMut) -> io::Result<Bytes> {
    let mut length = 0;
    while length < memory.len() {
        match file.read(&mut memory[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    memory.truncate(length);
    Ok(memory.freeze())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Reads a file of `length` bytes while `keep` pieces are still in use. Returns the number of pieces of memory.
    async fn read_file(length: usize, keep: usize) -> io::Result<usize> {
        let bytes: Vec<u8> = (0..251).cycle().take(length).collect();
        let (folder, mut addresses) = (tempfile::tempdir()?, std::collections::HashSet::new());
        let path = folder.path().join("file");
        File::create(&path)?.write_all(&bytes)?;
        let mut reader = ReadAhead::new(Arc::new(File::open(&path)?));
        let (mut received, mut used) = (Vec::new(), VecDeque::new());
        loop {
            let piece = reader.next().await?;
            if piece.is_empty() {
                break;
            }
            received.extend_from_slice(&piece);
            addresses.insert(piece.as_ptr());
            used.push_back(piece);
            if used.len() > keep {
                used.pop_front();
            }
        }
        assert!(received == bytes, "{length} bytes");
        Ok(addresses.len())
    }

    #[tokio::test]
    async fn reads_whole_files_of_any_length() -> io::Result<()> {
        for length in [0, 1, PIECE_SIZE - 1, PIECE_SIZE, PIECE_SIZE + 1, 3 * PIECE_SIZE] {
            for keep in [0, 2, usize::MAX] {
                read_file(length, keep).await?;
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn reuses_memory_of_sent_pieces() -> io::Result<()> {
        for keep in [0, 1, 2] {
            let addresses = read_file(20 * PIECE_SIZE, keep).await?;
            assert!(addresses <= keep + 2, "{addresses} pieces of memory where {keep} are in use");
        }
        Ok(())
    }
}
