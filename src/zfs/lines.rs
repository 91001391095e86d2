//! Reads the output of `zfs` line by line while `zfs` writes it. The number of lines is not
//! limited, only their length.

use super::command::{Zfs, ZfsError};
use std::ffi::OsStr;

/// Longest line. A name, a property and its value take a sixth of this at most.
const LINE: usize = 64 << 10;

impl Zfs {
    /// Runs `zfs` and passes each line of its output to `each`. The output is complete only if this
    /// returns `Ok`.
    ///
    /// # Errors
    /// If `zfs` fails, is killed, or ends in the middle of a line, and the first error of `each`.
    pub(super) fn lines<S: AsRef<OsStr>>(
        &self,
        args: &[S],
        mut each: impl FnMut(&str) -> Result<(), ZfsError>,
    ) -> Result<(), ZfsError> {
        let mut begun = Vec::new();
        self.read(args, &mut |piece| {
            let mut rest = piece;
            while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
                begun.extend_from_slice(&rest[..at]);
                each(&String::from_utf8_lossy(&begun))?;
                begun.clear();
                rest = &rest[at + 1..];
            }
            begun.extend_from_slice(rest);
            if begun.len() > LINE { Err(ZfsError::TooLong(self.shown(args))) } else { Ok(()) }
        })?;
        if begun.is_empty() { Ok(()) } else { Err(ZfsError::Cut(self.shown(args))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(script: &str) -> (Result<(), ZfsError>, usize, usize) {
        let zfs = Zfs::new(&["/bin/sh".into(), "-c".into()], Some(script)).unwrap();
        let (mut count, mut bytes) = (0, 0);
        let ended = zfs.lines(&["sh"], |line| {
            count += 1;
            bytes += line.len();
            Ok(())
        });
        (ended, count, bytes)
    }

    #[test]
    fn an_answer_of_any_length_is_read_whole() {
        let (ended, count, bytes) =
            lines("yes 'a line of thirty-one characters' | head -n 9000000");
        assert!(ended.is_ok(), "{ended:?}");
        assert_eq!(count, 9_000_000);
        assert!(bytes > 256 << 20, "{bytes}");
    }

    #[test]
    fn an_answer_that_is_not_whole_is_an_error() {
        let (ended, count, _) = lines("printf 'one\\ntwo'");
        assert!(matches!(ended, Err(ZfsError::Cut(_))), "{ended:?}");
        assert_eq!(count, 1);
        let (ended, ..) = lines("echo one; kill -9 $$");
        assert!(ended.unwrap_err().to_string().ends_with("it was killed by a signal"));
        let (ended, ..) = lines("echo one; exit 1");
        assert!(ended.unwrap_err().to_string().contains("exit status 1"));
    }

    #[test]
    fn a_line_without_an_end_is_not_kept() {
        let (ended, count, _) = lines("yes x | tr -d '\\n'");
        assert!(matches!(ended, Err(ZfsError::TooLong(_))), "{ended:?}");
        assert_eq!(count, 0);
    }
}
