//! Running `zfs`: argument lists only, no shell.

use super::name::word;
use super::pieces::{Pieces, pieces};
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Where packmule looks for `zfs`.
const PLACES: [&str; 3] = ["/sbin/zfs", "/usr/sbin/zfs", "/usr/local/sbin/zfs"];
/// Longest output that is kept in memory. Output that may be longer is read line by line.
const ANSWER: usize = 1 << 20;
/// Longest error output of `zfs` that is kept.
const STDERR: u64 = 64 << 10;
/// How long a query may take without output. `zfs receive` is exempt, since it may take days.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long packmule waits for a query that it has killed.
const GRACE: Duration = Duration::from_secs(5);

/// How `zfs` is started on this machine.
#[derive(Debug, Clone)]
pub struct Zfs {
    /// The command without arguments: a prefix such as `sudo -n`, if there is one, then the
    /// program.
    command: Vec<String>,
}

/// `zfs` could not be run, or failed.
#[derive(Debug, thiserror::Error)]
pub enum ZfsError {
    /// `zfs` is not installed in any of the usual places.
    #[error("zfs is not installed (there is no /sbin/zfs, /usr/sbin/zfs, /usr/local/sbin/zfs)")]
    Absent,
    /// `zfs` could not be started, or its output could not be read.
    #[error("running {0}: {1}")]
    Io(String, #[source] io::Error),
    /// `zfs` exited with a failure.
    #[error("{command}: {}", failure(*status, stderr))]
    Failed {
        /// The command line.
        command: String,
        /// Its exit status; `None` if a signal killed it.
        status: Option<i32>,
        /// Its error output.
        stderr: String,
    },
    /// `zfs` was silent for too long.
    #[error("{0} did not answer in time")]
    Silent(String),
    /// `zfs` printed output that packmule cannot parse.
    #[error("cannot parse the output of zfs: {0:?}")]
    Answer(String),
    /// The output ends in the middle of a line.
    #[error("{0}: the output ends within a line, so it is incomplete: try again")]
    Cut(String),
    /// The output, or one line of it, is too long.
    #[error("{0}: the output is too long")]
    TooLong(String),
}

impl ZfsError {
    /// True if the dataset, snapshot or pool does not exist.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Failed { stderr, .. } if stderr.contains("does not exist"))
    }
}

/// What to print about a failure: its error output, or else its exit status.
fn failure(status: Option<i32>, stderr: &str) -> String {
    match (one_line(stderr), status) {
        (stderr, _) if !stderr.is_empty() => stderr,
        (_, Some(status)) => format!("it failed with exit status {status} and without a message"),
        (_, None) => "it was killed by a signal".to_owned(),
    }
}

/// Joins the lines of an error message: `zfs` breaks lines within sentences, and a log needs one.
pub(super) fn one_line(stderr: &str) -> String {
    stderr.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Zfs {
    /// Takes the given program, or else searches the usual places. `prefix` is a command such as
    /// `sudo -n`.
    ///
    /// # Errors
    /// If no program is given and none is installed.
    pub fn new(prefix: &[String], program: Option<&str>) -> Result<Self, ZfsError> {
        let program = match program {
            Some(program) => program.to_owned(),
            None => PLACES
                .iter()
                .find(|place| PathBuf::from(place).exists())
                .map(|place| (*place).to_owned())
                .ok_or(ZfsError::Absent)?,
        };
        Ok(Self { command: prefix.iter().cloned().chain([program]).collect() })
    }

    /// Runs `zfs` and returns its output, which must be short.
    ///
    /// # Errors
    /// If `zfs` cannot be run, exits with a failure, or prints too much.
    pub fn ask<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<String, ZfsError> {
        let mut out = Vec::new();
        let keep = &mut |piece: &[u8]| {
            out.extend_from_slice(piece);
            if out.len() > ANSWER { Err(ZfsError::TooLong(self.shown(args))) } else { Ok(()) }
        };
        self.read(args, keep)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    /// Runs `zfs` and passes its output to `each` as it arrives.
    ///
    /// # Errors
    /// If `zfs` cannot be run or exits with a failure, and the first error of `each`.
    pub(super) fn read<S: AsRef<OsStr>>(
        &self,
        args: &[S],
        each: &mut dyn FnMut(&[u8]) -> Result<(), ZfsError>,
    ) -> Result<(), ZfsError> {
        let (status, stderr) = self.run_for(PATIENCE, args, each)?;
        if status.success() {
            return Ok(());
        }
        Err(ZfsError::Failed { command: self.shown(args), status: status.code(), stderr })
    }

    /// Runs `zfs` and returns its exit status and its error output.
    ///
    /// # Errors
    /// If `zfs` cannot be run.
    pub fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<(ExitStatus, String), ZfsError> {
        self.run_for(PATIENCE, args, &mut |_| Ok(()))
    }

    fn run_for<S: AsRef<OsStr>>(
        &self,
        patience: Duration,
        args: &[S],
        each: &mut dyn FnMut(&[u8]) -> Result<(), ZfsError>,
    ) -> Result<(ExitStatus, String), ZfsError> {
        let io = |error| ZfsError::Io(self.shown(args), error);
        let (mut child, stderr) = self.start(args, Stdio::null(), Stdio::piped())?;
        let out = pieces(child.stdout.take().expect("it is piped"));
        let ended = self.pass_on(&out, patience, args, each).and_then(|deadline| {
            let Ok(stderr) = stderr.recv_timeout(left(deadline)) else { return Ok(None) };
            let status = wait_until(&mut child, deadline).map_err(io)?;
            Ok(status.map(|status| (status, String::from_utf8_lossy(&stderr).into_owned())))
        });
        if let Ok(Some(ended)) = ended {
            return Ok(ended);
        }
        kill(&mut child);
        leave(child, GRACE);
        Err(ended.err().unwrap_or_else(|| ZfsError::Silent(self.shown(args))))
    }

    /// Passes output to `each` until the pipe closes. Returns the deadline for `zfs` to exit.
    fn pass_on<S: AsRef<OsStr>>(
        &self,
        out: &Pieces,
        patience: Duration,
        args: &[S],
        each: &mut dyn FnMut(&[u8]) -> Result<(), ZfsError>,
    ) -> Result<Instant, ZfsError> {
        let mut deadline = Instant::now() + patience;
        loop {
            match out.recv_timeout(left(deadline)) {
                Ok(Ok(piece)) => each(&piece)?,
                Ok(Err(error)) => return Err(ZfsError::Io(self.shown(args), error)),
                Err(RecvTimeoutError::Disconnected) => return Ok(deadline),
                Err(RecvTimeoutError::Timeout) => return Err(ZfsError::Silent(self.shown(args))),
            }
            deadline = Instant::now() + patience;
        }
    }

    /// Starts `zfs` in the C locale and in a process group of its own. Its error output arrives in
    /// the channel when it exits.
    pub(super) fn start<S: AsRef<OsStr>>(
        &self,
        args: &[S],
        stdin: Stdio,
        stdout: Stdio,
    ) -> Result<(Child, Receiver<Vec<u8>>), ZfsError> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).args(args).env("LC_ALL", "C").process_group(0);
        command.stdin(stdin).stdout(stdout).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| ZfsError::Io(self.shown(args), error))?;
        let stderr = collect(child.stderr.take().expect("it is piped"), STDERR);
        Ok((child, stderr))
    }

    /// The command line as text, for messages.
    pub fn shown<S: AsRef<OsStr>>(&self, args: &[S]) -> String {
        let args = args.iter().map(|arg| arg.as_ref().to_string_lossy().into_owned());
        let stderr = self.command.iter().cloned().chain(args);
        stderr.map(|text| word(&text).into_owned()).collect::<Vec<_>>().join(" ")
    }
}

/// A filter that a whole stream passes through.
pub(super) struct Piped {
    pub(super) child: Child,
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    /// The filter's error output, once it has exited.
    pub(super) stderr: Receiver<Vec<u8>>,
}

/// Starts a filter in a process group of its own.
pub(super) fn piped(program: &str, args: &[String]) -> io::Result<Piped> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let stdin = child.stdin.take().expect("it is piped");
    let stdout = child.stdout.take().expect("it is piped");
    let stderr = collect(child.stderr.take().expect("it is piped"), STDERR);
    Ok(Piped { child, stdin, stdout, stderr })
}

/// Reads to the end in a thread of its own. Reads and discards bytes beyond the limit, so that the
/// program does not block.
fn collect(mut from: impl Read + Send + 'static, cap: u64) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // If the pipe breaks, the output is incomplete; the exit status then says so.
        let _ = from.by_ref().take(cap).read_to_end(&mut bytes);
        let _ = io::copy(&mut from, &mut io::sink());
        let _ = sender.send(bytes);
    });
    receiver
}

/// Kills a child and its process group, and waits for it.
pub(super) fn end(child: &mut Child) {
    kill(child);
    let _ = child.wait();
}

fn kill(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    // A child under sudo belongs to root and cannot be killed; it exits when its pipe closes.
    drop(child.stdin.take());
}

/// Waits for a killed child. After `grace`, a thread of its own waits on: the child may be stuck in
/// the kernel, or belong to root.
fn leave(mut child: Child, grace: Duration) {
    if let Ok(None) = wait_until(&mut child, Instant::now() + grace) {
        std::thread::spawn(move || child.wait());
    }
}

/// Waits for a child; `None` if it has not exited by the deadline.
fn wait_until(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_micros(100);
    loop {
        let status = child.try_wait()?;
        let left = left(deadline);
        if status.is_some() || left.is_zero() {
            return Ok(status);
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell() -> Zfs {
        Zfs::new(&["/bin/sh".into(), "-c".into()], Some("printf out; printf said >&2; exit $1"))
            .unwrap()
    }

    #[test]
    fn an_answer_and_the_words_of_a_failure_are_kept() {
        assert_eq!(shell().ask(&["sh", "0"]).unwrap(), "out");
        let Err(ZfsError::Failed { status, stderr, .. }) = shell().ask(&["sh", "3"]) else {
            panic!("it fails");
        };
        assert_eq!((status, stderr.as_str()), (Some(3), "said"));
    }

    fn check_silent(script: &str, patience: u64) {
        let zfs = Zfs::new(&["/bin/sh".into(), "-c".into()], Some(script)).unwrap();
        let said = zfs.run_for(Duration::from_millis(patience), &["sh"], &mut |_| Ok(()));
        assert!(matches!(said, Err(ZfsError::Silent(_))), "{said:?}");
    }

    #[test]
    fn a_question_has_one_limit_for_all_it_says() {
        check_silent("sleep 0.4; exec >&-; sleep 0.4", 600);
    }

    #[test]
    fn a_question_ends_when_its_pipes_are_closed_and_it_stays() {
        check_silent("exec >&- 2>&-; sleep 60", 300);
    }

    #[test]
    fn a_child_that_can_not_be_ended_is_left() {
        let child = Command::new("sleep").arg("20").spawn().unwrap();
        let started = Instant::now();
        leave(child, Duration::from_millis(50));
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let zfs = Zfs::new(&[], Some("/nowhere/zfs")).unwrap();
        assert!(zfs.ask(&["list"]).unwrap_err().to_string().contains("/nowhere/zfs list"));
    }
}
