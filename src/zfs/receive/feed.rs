//! Feeds a running `zfs receive`. Withholds the end of the stream until the whole stream is
//! checked.

use super::super::command::{Zfs, ZfsError, end};
use super::super::stream::HEADER;
use std::io::{self, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::Receiver;

/// A pipe of this size keeps both processes busy.
const PIPE: usize = 1 << 20;

/// A running `zfs receive`. Dropping it kills `zfs`, which then discards the stream.
pub(super) struct Feed {
    child: Child,
    stdin: Option<ChildStdin>,
    stderr: Receiver<Vec<u8>>,
    /// The latest bytes, which are withheld. At the end of a valid stream they are its END record;
    /// `zfs` discards a stream without END.
    held: Vec<u8>,
    /// `zfs` closed its input; its error output says why.
    broken: bool,
}

impl Feed {
    /// Starts `zfs receive` with these arguments.
    pub(super) fn start(zfs: &Zfs, args: &[String]) -> Result<Self, ZfsError> {
        let (mut child, stderr) = zfs.start(args, Stdio::piped(), Stdio::null())?;
        let stdin = child.stdin.take();
        if let Some(stdin) = &stdin {
            // Errors are ignored: a smaller pipe is only slower.
            let _ = rustix::pipe::fcntl_setpipe_size(stdin, PIPE);
        }
        Ok(Self { child, stdin, stderr, held: Vec::with_capacity(2 * HEADER), broken: false })
    }

    /// Writes to `zfs` all but the last bytes, as many as a record header has.
    pub(super) fn write(&mut self, data: &[u8]) -> io::Result<()> {
        let keep = data.len().min(HEADER);
        let (through, last) = data.split_at(data.len() - keep);
        let old = (self.held.len() + keep).saturating_sub(HEADER);
        let old: Vec<u8> = self.held.drain(..old).collect();
        self.pass(&old)?;
        self.pass(through)?;
        self.held.extend_from_slice(last);
        Ok(())
    }

    /// Writes the withheld end and waits for `zfs`. Returns whether it succeeded, and its error
    /// output.
    pub(super) fn commit(mut self) -> io::Result<(bool, String)> {
        let held = std::mem::take(&mut self.held);
        self.pass(&held)?;
        drop(self.stdin.take());
        let status = self.child.wait()?;
        let stderr = self.stderr.recv().unwrap_or_default();
        Ok((status.success(), String::from_utf8_lossy(&stderr).into_owned()))
    }

    fn pass(&mut self, data: &[u8]) -> io::Result<()> {
        let Some(stdin) = self.stdin.as_mut().filter(|_| !self.broken) else { return Ok(()) };
        match stdin.write_all(data) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.broken = true;
                Ok(())
            }
            other => other,
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        // Kill before the pipe closes: `zfs` could take the closed pipe for the end of the stream.
        if self.stdin.is_some() {
            if let Some(stdin) = self.stdin.take() {
                self.child.stdin = Some(stdin);
            }
            end(&mut self.child);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(script: &str) -> Feed {
        let zfs = Zfs::new(&["/bin/sh".to_owned(), "-c".to_owned()], Some(script)).unwrap();
        Feed::start(&zfs, &["sh".to_owned()]).unwrap()
    }

    #[test]
    fn the_last_record_is_held_back_until_the_commit() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        let script = format!("cat > {0}.part; mv {0}.part {0}", out.display());
        let data: Vec<u8> = (0..5000_u32).map(|i| i as u8).collect();
        let mut feed = receiver(&script);
        for piece in data.chunks(97) {
            feed.write(piece).unwrap();
            assert!(feed.held.len() <= HEADER);
        }
        assert_eq!(feed.held, &data[data.len() - HEADER..]);
        assert_eq!(feed.commit().unwrap(), (true, String::new()));
        assert_eq!(std::fs::read(out).unwrap(), data);
    }

    #[test]
    fn a_receiver_that_gives_up_tells_why() {
        let mut feed = receiver("echo no >&2; exit 1");
        for _ in 0..100 {
            feed.write(&[0; 100_000]).unwrap();
        }
        assert_eq!(feed.commit().unwrap(), (false, "no\n".to_owned()));
    }
}
