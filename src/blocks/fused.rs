//! A reader that does not continue after its end.

use std::io::{self, Read};

/// Returns 0 for ever after the first 0, and an error for ever after the first error. Otherwise a
/// terminal or a growing file could continue after its end, and data after an error would have a
/// gap.
#[derive(Debug)]
pub(crate) struct Fused<R> {
    source: R,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Open,
    Ended,
    Failed(io::ErrorKind),
}

impl<R: Read> Fused<R> {
    /// Reads `source` up to its first end.
    pub(crate) fn new(source: R) -> Self {
        Self { source, state: State::Open }
    }
}

impl<R: Read> Read for Fused<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.state {
            State::Open => {}
            State::Ended => return Ok(0),
            State::Failed(kind) => return Err(io::Error::new(kind, "an earlier read failed")),
        }
        let read = self.source.read(buffer);
        match &read {
            Ok(0) if !buffer.is_empty() => self.state = State::Ended,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.state = State::Failed(error.kind());
            }
            _ => {}
        }
        read
    }
}

/// Asserts what every reader of packmule must do: after the first 0 it returns 0 for every buffer
/// size. Returns the data before that.
#[cfg(test)]
pub(crate) fn ends_for_good(mut reader: impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    reader.read_to_end(&mut all).expect("it can be read");
    for len in [1, 7, 512, 1024, 1 << 17, (1 << 20) + 1] {
        assert_eq!(reader.read(&mut vec![0; len]).expect("an end is no error"), 0, "after {len}");
    }
    all
}

/// Returns `front`, then 0, then `front` again, and so on, like a terminal.
#[cfg(test)]
pub(crate) struct Again<'a> {
    front: &'a [u8],
    at: usize,
}

#[cfg(test)]
impl<'a> Again<'a> {
    pub(crate) fn new(front: &'a [u8]) -> Self {
        Self { front, at: 0 }
    }
}

#[cfg(test)]
impl Read for Again<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&self.front[self.at..]).read(buffer)?;
        self.at = if read == 0 { 0 } else { self.at + read };
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_goes_on_after_its_end_does_not() {
        assert_eq!(ends_for_good(Fused::new(Again::new(b"abc"))), b"abc");
        assert_eq!(ends_for_good(Fused::new(Again::new(b""))), b"");
    }

    #[test]
    fn nothing_asked_for_is_no_end() {
        let mut source = Fused::new(&b"abc"[..]);
        assert_eq!(source.read(&mut []).unwrap(), 0);
        assert_eq!(ends_for_good(source), b"abc");
    }

    #[test]
    fn after_an_error_there_is_no_end() {
        struct Once(bool);
        impl Read for Once {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    Ok(0)
                } else {
                    Err(io::ErrorKind::Other.into())
                }
            }
        }
        let mut source = Fused::new(Once(false));
        for _ in 0..3 {
            assert!(source.read(&mut [0; 9]).is_err());
        }
    }
}
