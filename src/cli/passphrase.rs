//! Asking for a passphrase: prompt on standard error, answer from descriptor 0 without echo.

use rustix::io::Errno;
use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, Write};
use zeroize::Zeroizing;

/// Asks for a passphrase. Standard input must be a terminal; nothing is printed after the answer.
///
/// # Errors
/// No terminal (`inappropriate ioctl for device`), or reading from it failed.
pub(crate) fn ask(prompt: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    io::stderr().write_all(prompt.as_bytes())?;
    let _quiet = Quiet::begin()?;
    read_line(|byte| Ok(rustix::io::read(stdin(), byte)?))
}

/// The terminal without echo, until dropped.
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

/// One line without its end, read byte by byte: what follows belongs to whoever reads next.
fn read_line(
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
) -> io::Result<Zeroizing<Vec<u8>>> {
    // Longer than a terminal's longest line, so that no copy is left behind by growing.
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
