//! Runs an external command as a handler, in the way of the reference: no shell, three environment
//! variables, output collected.

use super::call::{Call, Verdict};
use crate::blocks::Ahead;
use packmule_protocol::niceness::Niceness;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, BufRead, PipeReader, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// `EX_TEMPFAIL` of sysexits(3): try again later.
const TEMPORARY_FAILURE: i32 = 75;
/// Size of the pipe to a command, in bytes.
const PIPE: usize = 1 << 20;
/// Number of bytes of output kept from the start, and as many from the end.
const OUTPUT_KEPT: usize = 32 * 1024;
/// How long packmule waits for output after the command has exited, if a background child keeps the
/// pipe open.
const OUTPUT_GRACE: Duration = Duration::from_millis(500);

/// Finds handlers: first among the functions that the embedding program registered, then as
/// programs on packmule's own `PATH`, because a handler gets none.
#[derive(Clone, Default)]
pub struct Search {
    functions: BTreeMap<Vec<u8>, Arc<Function>>,
    path: Vec<PathBuf>,
}

type Function = dyn Fn(Call<'_>) -> Verdict + Send + Sync;

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let functions: Vec<_> = self.functions.keys().map(|name| name.escape_ascii()).collect();
        f.debug_struct("Search").field("functions", &functions).field("path", &self.path).finish()
    }
}

impl Search {
    /// The directories of a `PATH` variable.
    pub fn new(path: &OsStr) -> Self {
        Self { functions: BTreeMap::new(), path: std::env::split_paths(path).collect() }
    }

    /// Runs `function` for handlers whose first configured word is `word`. As for a program, the
    /// configuration determines who may call it, by which handle, and with which first arguments.
    #[must_use]
    pub fn with(
        mut self,
        word: &str,
        function: impl Fn(Call<'_>) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        self.functions.insert(word.as_bytes().to_vec(), Arc::new(function));
        self
    }

    /// The function that is registered for a handler's first word.
    pub(super) fn function(&self, word: &[u8]) -> Option<&Function> {
        self.functions.get(word).map(Arc::as_ref)
    }

    fn program(&self, name: &OsStr) -> PathBuf {
        let given = Path::new(name);
        if name.as_bytes().contains(&b'/') {
            return given.into();
        }
        let executable = |path: &PathBuf| {
            path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
        };
        self.path.iter().map(|dir| dir.join(name)).find(executable).unwrap_or_else(|| given.into())
    }
}

/// Runs programs.
pub(crate) struct External;

impl External {
    /// Runs the command of a handler.
    pub(crate) fn run(call: Call<'_>, search: &Search) -> Verdict {
        let words: Vec<OsString> = call.words.into_iter().map(OsString::from_vec).collect();
        let program = search.program(&words[0]);
        let mut command = Command::new(&program);
        command
            .args(&words[1..])
            .env_clear()
            .env("NNCP_SELF", call.own)
            .env("NNCP_SENDER", call.sender)
            .env("NNCP_NICE", call.nice.map_or(0, Niceness::get).to_string());
        Self::feed(&mut command, call.input)
    }

    /// Starts `command`, writes `input` to it, and waits for its exit.
    pub(crate) fn feed(command: &mut Command, mut input: impl Read + Send) -> Verdict {
        let failed = |error: &dyn std::fmt::Display| Verdict::Failed {
            reason: error.to_string(),
            output: Vec::new(),
        };
        let program = command.get_program().to_owned();
        let started = io::pipe().and_then(|(reader, writer)| {
            command.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
            let child = command.spawn()?;
            // Drops our copies of the pipe's writing end; otherwise the output would never end.
            command.stdout(Stdio::null()).stderr(Stdio::null());
            Ok((child, reader))
        });
        let (mut child, reader) = match started {
            Ok(started) => started,
            Err(error) => {
                return failed(&format!("starting {}: {error}", Path::new(&program).display()));
            }
        };
        let output = Output::of(reader);
        let fed = match child.stdin.take() {
            None => Ok(()),
            // The input failed. Kill the command: it would take a closed pipe for the end of its
            // input.
            Some(mut stdin) => copy(&mut input, &mut stdin).inspect_err(|_| drop(child.kill())),
        };
        let status = child.wait();
        let output = output.after_exit();
        match (fed, status) {
            (_, Err(error)) => failed(&error),
            (Err(error), _) => Verdict::Failed { reason: error.to_string(), output },
            (Ok(()), Ok(status)) => judge(status, output),
        }
    }
}

/// Copies `input`, and reads the next piece while it writes one. A command may close its input
/// early.
fn copy(input: &mut (impl Read + Send), stdin: &mut ChildStdin) -> io::Result<()> {
    // A larger pipe needs fewer switches between the processes. Errors are ignored.
    let _ = rustix::pipe::fcntl_setpipe_size(&*stdin, PIPE);
    std::thread::scope(|scope| {
        let mut input = Ahead::start(scope, input);
        loop {
            let piece = input.fill_buf()?;
            if piece.is_empty() {
                return Ok(());
            }
            match stdin.write_all(piece) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                Err(error) => return Err(error),
            }
            let length = piece.len();
            input.consume(length);
        }
    })
}

fn judge(status: ExitStatus, output: Vec<u8>) -> Verdict {
    match (status.code(), status.signal()) {
        (Some(0), _) => Verdict::Done { output, reply: None },
        (Some(TEMPORARY_FAILURE), _) => {
            let reason = String::from_utf8_lossy(&output).trim().to_owned();
            Verdict::Defer { reason }
        }
        (Some(code), _) => Verdict::Failed { reason: format!("exit status {code}"), output },
        (None, Some(signal)) => Verdict::Failed { reason: format!("signal: {signal}"), output },
        (None, None) => Verdict::Failed { reason: status.to_string(), output },
    }
}

/// The output of a command, collected by a thread. Keeps the start and the end of a long output.
struct Output {
    kept: Arc<Mutex<Kept>>,
    ended: mpsc::Receiver<()>,
}

#[derive(Default)]
struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: usize,
}

impl Output {
    fn of(mut reader: PipeReader) -> Self {
        let kept = Arc::<Mutex<Kept>>::default();
        let (end, ended) = mpsc::channel();
        let shared = Arc::clone(&kept);
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                if let Ok(mut kept) = shared.lock() {
                    kept.push(&buffer[..read]);
                }
            }
            // Fails if nobody waits for the output any more.
            let _ = end.send(());
        });
        Self { kept, ended }
    }

    /// The output of a command that has exited. Does not wait for a background child that still
    /// holds the pipe.
    fn after_exit(self) -> Vec<u8> {
        let _ = self.ended.recv_timeout(OUTPUT_GRACE);
        self.kept.lock().map(|mut kept| std::mem::take(&mut *kept).joined()).unwrap_or_default()
    }
}

impl Kept {
    fn push(&mut self, piece: &[u8]) {
        let room = OUTPUT_KEPT - self.head.len();
        let (front, rest) = piece.split_at(piece.len().min(room));
        self.head.extend_from_slice(front);
        self.tail.extend(rest);
        let excess = self.tail.len().saturating_sub(OUTPUT_KEPT);
        self.tail.drain(..excess);
        self.left_out += excess;
    }

    fn joined(mut self) -> Vec<u8> {
        if self.left_out > 0 {
            self.head.extend(format!("\n[{} bytes omitted]\n", self.left_out).bytes());
        }
        self.head.extend(self.tail);
        self.head
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn sh(script: &str, input: &[u8]) -> Verdict {
        External::feed(Command::new("sh").args(["-c", script]), input)
    }

    #[test]
    fn input_reaches_the_command_and_its_output_comes_back() {
        let Verdict::Done { output, .. } = sh("cat; echo err >&2", b"in\n") else { panic!() };
        assert_eq!(output, b"in\nerr\n");
    }

    #[test]
    fn a_command_need_not_read_its_input() {
        assert!(matches!(sh("exit 0", &vec![0; 1 << 20]), Verdict::Done { .. }));
    }

    #[test]
    fn failures_say_why_and_75_means_later() {
        let reason = |script| match sh(script, b"") {
            Verdict::Failed { reason, .. } => reason,
            other => format!("{other:?}"),
        };
        assert_eq!(reason("exit 3"), "exit status 3");
        assert_eq!(reason("kill -9 $$"), "signal: 9");
        assert!(
            matches!(sh("echo busy; exit 75", b""), Verdict::Defer { reason } if reason == "busy")
        );
        let none = External::feed(&mut Command::new("/nonexistent/x"), &b""[..]);
        assert!(
            matches!(none, Verdict::Failed { reason, .. } if reason.contains("/nonexistent/x"))
        );
    }

    #[test]
    fn input_that_can_not_be_read_has_no_end_for_a_command() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let whole = dir.path().join("whole");
        let script = format!("cat > /dev/null; touch {}", whole.display());
        let input = (&b"front"[..]).chain(Broken);
        let verdict = External::feed(Command::new("sh").args(["-c", &script]), input);
        assert!(matches!(verdict, Verdict::Failed { reason, .. } if reason == "broken"));
        assert!(!whole.exists());
    }

    /// doc/weaknesses.md W10.
    #[test]
    fn output_is_bounded() {
        let Verdict::Done { output, .. } = sh("head -c 3000000 /dev/zero; echo end", b"") else {
            panic!()
        };
        assert!(output.len() < 3 * OUTPUT_KEPT);
        assert!(output.ends_with(b"end\n"));
    }

    /// doc/weaknesses.md W23.
    #[test]
    fn a_background_child_that_holds_the_output_is_not_waited_for() {
        let start = Instant::now();
        assert!(
            matches!(sh("sleep 20 & echo done", b""), Verdict::Done { output, .. } if output == b"done\n")
        );
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
