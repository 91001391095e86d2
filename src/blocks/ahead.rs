//! Reads a source in a thread of its own, one piece ahead of its user.

use super::buffer::Buffer;
use std::io::{self, BufRead, Read};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::Scope;

/// Bytes per read.
const PIECE: usize = 1 << 20;

/// A source that is read one piece ahead. After it is dropped, it reads at most one more piece.
pub(crate) struct Ahead {
    filled: Receiver<io::Result<Buffer>>,
    /// Returns used buffers to the reading thread.
    emptied: Sender<Buffer>,
    piece: Buffer,
    used: usize,
    ended: bool,
}

impl Ahead {
    /// Starts to read `source`.
    pub(crate) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        mut source: impl Read + Send + 'scope,
    ) -> Self {
        let (fill, filled) = mpsc::sync_channel::<io::Result<Buffer>>(1);
        let (emptied, empty) = mpsc::channel::<Buffer>();
        scope.spawn(move || {
            loop {
                let mut piece = empty.try_recv().unwrap_or_default();
                piece.clear();
                let read = piece.fill(&mut source, PIECE);
                let ends = read.is_err() || piece.is_empty();
                if fill.send(read.map(|_| piece)).is_err() || ends {
                    return;
                }
            }
        });
        Self { filled, emptied, piece: Buffer::new(), used: 0, ended: false }
    }
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used == self.piece.len() && !self.ended {
            let lost = |_| Err(io::Error::other("the reading thread has ended"));
            let piece = self.filled.recv().unwrap_or_else(lost)?;
            self.ended = piece.is_empty();
            self.used = 0;
            // Fails if the reading thread has ended, which needs no more buffers then.
            let _ = self.emptied.send(std::mem::replace(&mut self.piece, piece));
        }
        Ok(&self.piece[self.used..])
    }

    fn consume(&mut self, amount: usize) {
        self.used = self.piece.len().min(self.used + amount);
    }
}

impl Read for Ahead {
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
    fn all_of_it_is_read_in_order() {
        let data: Vec<u8> = (0..PIECE * 3 + 7).map(|at| (at % 251) as u8).collect();
        let mut read = Vec::new();
        std::thread::scope(|scope| Ahead::start(scope, &data[..]).read_to_end(&mut read)).unwrap();
        assert!(read == data);
    }

    #[test]
    fn an_error_is_no_end() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        std::thread::scope(|scope| {
            let mut ahead = Ahead::start(scope, (&b"front"[..]).chain(Broken));
            assert_eq!(ahead.read(&mut [0; 9]).unwrap_err().to_string(), "broken");
            assert!(ahead.read(&mut [0; 9]).is_err());
        });
    }

    #[test]
    fn its_end_stays_the_end() {
        for len in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE] {
            let data = vec![7; len];
            let read = std::thread::scope(|scope| {
                super::super::ends_for_good(Ahead::start(scope, &data[..]))
            });
            assert!(read == data, "{len}");
        }
    }
}
