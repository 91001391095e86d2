//! The output of a program, read piece by piece in a thread of its own.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, sync_channel};

const PIECE: usize = 64 << 10;
/// Pieces that wait to be looked at.
const AHEAD: usize = 4;

/// What was read, piece by piece; it closes at the end.
pub(super) type Pieces = Receiver<io::Result<Vec<u8>>>;

/// Reads in a thread of its own, so that a reader can lose patience.
pub(super) fn pieces(mut from: impl Read + Send + 'static) -> Pieces {
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::spawn(move || {
        let mut buffer = vec![0; PIECE];
        loop {
            let piece = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(len) => Ok(buffer[..len].to_vec()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let is_last = piece.is_err();
            if sender.send(piece).is_err() || is_last {
                break;
            }
        }
    });
    receiver
}
