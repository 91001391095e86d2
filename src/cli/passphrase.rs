//! Asks for a passphrase: prompts on standard error, reads descriptor 0 without echo.

use rustix::io::Errno;
use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, Write};
use zeroize::Zeroizing;

/// Asks for a passphrase. Standard input must be a terminal. Prints no line break afterwards.
///
/// # Errors
/// No terminal (`inappropriate ioctl for device`), or reading from it failed.
pub(crate) fn ask(prompt: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    io::stderr().write_all(prompt.as_bytes())?;
    let _quiet = Quiet::begin()?;
    read_line(|byte| Ok(rustix::io::read(stdin(), byte)?))
}

/// A terminal with echo turned off. Dropping it restores the echo.
struct Quiet {
    before: Termios,
}

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(stdin()).map_err(|error| match error {
            Errno::NOTTY => io::Error::other("inappropriate ioctl for device"),
            other => other.into(),
        })?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(stdin(), OptionalActions::Now, &silent)?;
        Ok(Self { before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}

/// Reads a line without its end, byte by byte: the next reader needs the bytes after the line.
fn read_line(
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
) -> io::Result<Zeroizing<Vec<u8>>> {
    // Larger than the longest line of a terminal: growing would leave a copy in freed memory.
    let mut line = Zeroizing::new(Vec::with_capacity(4096));
    let mut byte = Zeroizing::new([0]);
    while read(&mut *byte)? == 1 && byte[0] != b'\n' {
        if line.len() < line.capacity() {
            line.push(byte[0]);
        }
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn an_answer_ends_with_its_line() {
        let mut input = &b"secret\nmore"[..];
        assert_eq!(*read_line(|byte| input.read(byte)).unwrap(), b"secret");
        assert_eq!(input, b"more");
        assert_eq!(*read_line(|_| Ok(0)).unwrap(), b"");
    }
}
