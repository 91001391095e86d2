//! Reads the output of a program piece by piece, in a thread of its own.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, sync_channel};

const PIECE: usize = 64 << 10;
/// Number of pieces that are read ahead.
const AHEAD: usize = 4;

/// The pieces; the channel closes at the end of the output.
pub(super) type Pieces = Receiver<io::Result<Vec<u8>>>;

/// Reads in a thread of its own, so that the receiver of the pieces can use a timeout.
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
