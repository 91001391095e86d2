//! One writer and several readers, so that one `zfs send` serves several destinations.

use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Number of pieces that the slowest reader may lag behind.
const AHEAD: usize = 8;

/// A message to a reader: data, or the end of a valid stream.
type Piece = Result<Arc<Vec<u8>>, ()>;

/// The writing end. If it is dropped without [`Tee::finish`], every reader gets an error.
pub(super) struct Tee {
    readers: Vec<Option<SyncSender<Piece>>>,
}

/// A reading end.
pub(super) struct Branch {
    pieces: Receiver<Piece>,
    current: Arc<Vec<u8>>,
    read: usize,
    ended: bool,
}

/// A writing end and `count` reading ends.
pub(super) fn tee(count: usize) -> (Tee, Vec<Branch>) {
    let mut readers = Vec::new();
    let mut branches = Vec::new();
    for _ in 0..count {
        let (sender, pieces) = sync_channel(AHEAD);
        readers.push(Some(sender));
        branches.push(Branch { pieces, current: Arc::default(), read: 0, ended: false });
    }
    (Tee { readers }, branches)
}

impl Tee {
    /// Sends every reader the end, which is the permission to publish.
    pub(super) fn finish(self) {
        for reader in self.readers.into_iter().flatten() {
            let _ = reader.send(Err(()));
        }
    }
}

impl Tee {
    /// Sends every reader a piece.
    pub(super) fn pass(&mut self, piece: Vec<u8>) -> io::Result<()> {
        let piece = Arc::new(piece);
        for slot in &mut self.readers {
            // A destination that failed does not stop the others.
            if slot.as_ref().is_some_and(|reader| reader.send(Ok(piece.clone())).is_err()) {
                *slot = None;
            }
        }
        if self.readers.iter().all(Option::is_none) {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "no destination is left"));
        }
        Ok(())
    }
}

impl Write for Tee {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.pass(data.to_vec()).map(|()| data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BufRead for Branch {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.read == self.current.len() && !self.ended {
            match self.pieces.recv() {
                Ok(Ok(piece)) => (self.current, self.read) = (piece, 0),
                Ok(Err(())) => self.ended = true,
                Err(_) => return Err(io::Error::other("the stream was given up")),
            }
        }
        Ok(&self.current[self.read..])
    }

    fn consume(&mut self, amount: usize) {
        self.read = self.current.len().min(self.read + amount);
    }
}

impl Read for Branch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reader_gets_everything_and_only_a_finish_is_an_end() {
        let (mut writer, branches) = tee(2);
        let readers: Vec<_> = branches
            .into_iter()
            .map(|mut branch| {
                std::thread::spawn(move || {
                    let mut data = Vec::new();
                    branch.read_to_end(&mut data).map(|_| data)
                })
            })
            .collect();
        for _ in 0..20 {
            writer.write_all(&[7; 1000]).unwrap();
        }
        writer.finish();
        for reader in readers {
            assert_eq!(reader.join().unwrap().unwrap().len(), 20_000);
        }
        let (writer, mut branches) = tee(1);
        drop(writer);
        assert!(branches[0].read(&mut [0; 10]).is_err());
    }

    #[test]
    fn the_end_stays_the_end() {
        let (mut writer, mut branches) = tee(1);
        writer.write_all(b"abc").unwrap();
        writer.finish();
        assert_eq!(crate::blocks::ends_for_good(branches.remove(0)), b"abc");
    }
}
