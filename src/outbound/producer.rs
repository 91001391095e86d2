//! Sends the output of a program. The output has an end only if the program succeeds.

use super::path;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Size of the pipe from a program, in bytes.
const PIPE: usize = 1 << 20;
/// How long a program may take to exit after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process ids of running programs, so that a signal handler can end them.
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// A program's output. If it is dropped before its end, the program is terminated.
#[derive(Debug)]
pub(crate) struct Producer {
    shown: String,
    running: Option<Running>,
    failure: Option<String>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    out: Option<ChildStdout>,
    pid: Pid,
}

impl Producer {
    /// Starts a program with its arguments. It inherits standard input and standard error.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn start(program: &OsStr, arguments: &[OsString]) -> io::Result<Self> {
        let words: Vec<_> = [program].into_iter().chain(arguments.iter().map(|a| &**a)).collect();
        let shown =
            path::shown(&words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>().join(&b' '));
        let mut command = Command::new(program);
        let started = Running::start(command.args(arguments).stdout(Stdio::piped()));
        let failed = |error: io::Error| {
            io::Error::new(error.kind(), format!("starting {}: {error}", program.display()))
        };
        Ok(Self { shown, running: Some(started.map_err(failed)?), failure: None })
    }

    /// The program and its arguments, for messages.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

impl Read for Producer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(running) = &mut self.running {
            if let Some(out) = &mut running.out {
                let read = out.read(buffer)?;
                if read > 0 || buffer.is_empty() {
                    return Ok(read);
                }
            }
            let status = running.wait()?;
            self.running = None;
            self.failure = failure(status);
        }
        match &self.failure {
            None => Ok(0),
            Some(failure) => {
                let text = format!("{} {failure}: its output is not queued", self.shown);
                Err(io::Error::other(text))
            }
        }
    }
}

/// Why a program failed; `None` if it succeeded.
fn failure(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("ended with status {code}")),
        (None, Some(signal)) => Some(format!("was ended by signal {signal}")),
        (None, None) => Some(status.to_string()),
    }
}

impl Running {
    fn start(command: &mut Command) -> io::Result<Self> {
        // Under the lock, so that no program ever runs without being in the list.
        let (mut child, pid) = running(|pids| {
            let child = command.spawn()?;
            let pid = Pid::from_child(&child);
            pids.insert(pid.as_raw_pid());
            io::Result::Ok((child, pid))
        })?;
        let out = child.stdout.take();
        if let Some(out) = &out {
            // A larger pipe needs fewer switches between the processes. Errors are ignored.
            let _ = rustix::pipe::fcntl_setpipe_size(out, PIPE);
        }
        Ok(Self { child, out, pid })
    }

    fn wait(&mut self) -> io::Result<ExitStatus> {
        // Not reaped before it is off the list, so that its process id cannot be reused meanwhile.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        rustix::io::retry_on_intr(|| waitid(WaitId::Pid(self.pid), options))?;
        running(|pids| pids.remove(&self.pid.as_raw_pid()));
        self.child.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if running(|pids| pids.contains(&self.pid.as_raw_pid())) {
            end(self.pid);
            drop(self.out.take());
            let _ = self.wait();
        }
    }
}

fn running<T>(with: impl FnOnce(&mut BTreeSet<i32>) -> T) -> T {
    with(&mut RUNNING.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Terminates all running programs, for a process that is about to exit. Keeps the lock, so that no
/// program can be started or reaped afterwards.
pub(crate) fn end_producers() {
    let pids = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    pids.iter().filter_map(|pid| Pid::from_raw(*pid)).for_each(end);
    std::mem::forget(pids);
}

/// Terminates a program and its descendants, and kills the program if it does not exit.
fn end(pid: Pid) {
    for process in stopped(pid) {
        let _ = kill_process(process, Signal::TERM);
        let _ = kill_process(process, Signal::CONT);
    }
    let deadline = Instant::now() + PATIENCE;
    while !has_ended(pid) {
        if Instant::now() > deadline {
            let _ = kill_process(pid, Signal::KILL);
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// True if the child has exited. Does not reap it.
fn has_ended(pid: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
}

/// A process and its descendants. They are stopped, so that none can start another meanwhile.
fn stopped(first: Pid) -> Vec<Pid> {
    let mut stopped = Vec::new();
    loop {
        let mut new = descendants(first);
        new.retain(|process| !stopped.contains(process));
        if new.is_empty() {
            return stopped;
        }
        for process in new {
            let _ = kill_process(process, Signal::STOP);
            stopped.push(process);
        }
    }
}

/// A process and its descendants, as listed in `/proc`.
fn descendants(first: Pid) -> Vec<Pid> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The line is NUMBER (NAME) STATE PARENT …; NAME may contain anything, so search from the
        // end.
        let parent =
            stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let (Some(parent), Some(number)) = (parent, number) {
            children.entry(parent).or_default().push(number);
        }
    }
    let mut found = vec![first.as_raw_pid()];
    let mut at = 0;
    while let Some(process) = found.get(at) {
        found.extend(children.remove(process).unwrap_or_default());
        at += 1;
    }
    found.into_iter().filter_map(Pid::from_raw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Producer {
        Producer::start("sh".as_ref(), &["-c".into(), script.into()]).unwrap()
    }

    #[test]
    fn the_end_of_a_program_that_ended_well_stays_the_end() {
        assert_eq!(crate::blocks::ends_for_good(sh("echo out")), b"out\n");
        assert_eq!(crate::blocks::ends_for_good(sh("exec >&-; sleep 0.1")), b"");
    }

    #[test]
    fn a_program_that_failed_has_no_end() {
        for (script, want) in [
            ("echo a; exit 3", "status 3"),
            ("echo a; kill -9 $$", "signal 9"),
            ("exit 1", "status 1"),
        ] {
            let mut producer = sh(script);
            for _ in 0..3 {
                let error = producer.read_to_end(&mut Vec::new()).unwrap_err().to_string();
                assert!(error.contains(want), "{error}");
            }
        }
    }

    #[test]
    fn a_program_that_can_not_be_started_is_named() {
        let error = Producer::start("/nowhere/tar".as_ref(), &[]).unwrap_err();
        assert!(error.to_string().starts_with("starting /nowhere/tar: "), "{error}");
    }

    #[test]
    fn dropped_it_ends_with_all_that_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let pid = dir.path().join("pid");
        let script =
            format!("sleep 60 & echo $! > {0}.new; mv {0}.new {0}; echo up; wait", pid.display());
        let mut producer = sh(&script);
        producer.read_exact(&mut [0; 3]).unwrap();
        let started = Instant::now();
        drop(producer);
        assert!(started.elapsed() < Duration::from_secs(10));
        let pid: i32 = std::fs::read_to_string(pid).unwrap().trim().parse().unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let runs = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        while runs() {
            assert!(Instant::now() < deadline, "it goes on");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
