//! `builtin:zfs-receive`: applies ZFS streams below one dataset, base before increment, in whatever
//! order their packets arrive.
//!
//! The sender can add one argument: the dataset below `--into` (with `--host NAME`, it must begin
//! with `NAME/`). The configuration determines everything else.

use super::builtin::Builtin;
use super::call::{Call, Verdict};
use super::ordered::{Ordered, Queued};
use super::reply::Reply;
use crate::chain::Next;
use crate::zfs::lock::Locks;
use crate::zfs::receipt;
use crate::zfs::receive::{
    Applied, Open, Outcome, Policy, Prediction, RECEIVE_SETTINGS, ReceiveError, Session,
};
use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// All packets that wait for the builtin, from all queues of a toss.
#[derive(Default)]
pub(crate) struct ZfsReceive {
    /// One session for each way in which the configuration names the builtin, or why it cannot
    /// start.
    sessions: Vec<(Words, Result<Session, String>)>,
}

/// The configured words, and the sender's name.
type Words = (Vec<String>, String);

/// The row in the table of builtins.
pub(super) const BUILTIN: Builtin = Builtin {
    name: "zfs-receive",
    settings: RECEIVE_SETTINGS,
    check,
    run,
    ordered: Some(|| Rc::new(RefCell::new(ZfsReceive::default()))),
};

impl Ordered for ZfsReceive {
    fn add(&mut self, key: usize, packet: Queued<'_>, open: &Open<'_>) -> Option<Verdict> {
        let asked = match asked(packet.arguments) {
            Ok(asked) => asked,
            Err(reason) => return Some(failed(reason)),
        };
        match self.session(packet) {
            Ok(session) => session.add(key, asked, packet.since, open),
            Err(reason) => return Some(Verdict::Blocked { reason: reason.clone() }),
        }
        None
    }

    fn next_step(&mut self) -> Option<Next<Verdict>> {
        let mut sessions =
            self.sessions.iter_mut().filter_map(|(_, session)| session.as_mut().ok());
        sessions.find_map(|session| Some(session.step()?.map(verdict)))
    }

    fn apply(&mut self, key: usize, open: &Open<'_>) -> Verdict {
        let sessions = self.sessions.iter_mut().filter_map(|(_, session)| session.as_mut().ok());
        for session in sessions {
            if session.holds(key) {
                return match session.apply(key, open) {
                    Ok(outcome) => verdict(outcome),
                    Err(error) => Verdict::Blocked { reason: error.to_string() },
                };
            }
        }
        failed("nothing waits under this key".to_owned())
    }

    fn warnings(&self) -> Vec<(&str, &str)> {
        let mut all = Vec::new();
        for ((_, sender), session) in &self.sessions {
            let warnings = session.as_ref().map(Session::warnings).unwrap_or_default();
            all.extend(warnings.iter().map(|text| (sender.as_str(), text.as_str())));
        }
        all
    }

    fn replies(&self) -> Vec<(String, Reply)> {
        let reply = |((_, sender), session): &(Words, Result<Session, String>)| {
            let session = session.as_ref().ok()?;
            let handle = session.handle()?.as_bytes().to_vec();
            let receipts = session.receipts();
            let input = receipt::to_lines(&receipts);
            let reply = Reply::Exec { command: vec![handle], input };
            (!receipts.is_empty()).then(|| (sender.clone(), reply))
        };
        self.sessions.iter().filter_map(reply).collect()
    }
}

impl ZfsReceive {
    /// Predicts the outcome of each added packet.
    pub(crate) fn overview(&self) -> Vec<Prediction> {
        let sessions = self.sessions.iter().filter_map(|(_, session)| session.as_ref().ok());
        sessions.flat_map(Session::overview).collect()
    }

    fn session(&mut self, packet: Queued<'_>) -> &mut Result<Session, String> {
        let words = (packet.words.to_vec(), packet.sender.to_owned());
        let at = match self.sessions.iter().position(|(other, _)| *other == words) {
            Some(at) => at,
            None => {
                let session = open_session(packet.words, packet.sender);
                self.sessions.push((words, session));
                self.sessions.len() - 1
            }
        };
        &mut self.sessions[at].1
    }
}

/// Runs the builtin on standard input, for `packmule handle zfs-receive`.
fn run(call: Call<'_>) -> Verdict {
    let (settings, arguments) = call.words.split_at(call.configured);
    let settings: Result<Vec<_>, _> =
        settings.iter().map(|word| String::from_utf8(word.clone())).collect();
    let Ok(settings) = settings else { return failed("a setting is not UTF-8".to_owned()) };
    let since = SystemTime::now();
    let packet = Queued { words: &settings, sender: &call.name, arguments, since };
    let replay = Replay::new(call.input);
    let open = || replay.pass();
    let mut builtin = ZfsReceive::default();
    if let Ok(session) = builtin.session(packet) {
        session.read_once();
    }
    if let Some(verdict) = builtin.add(0, packet, &open) {
        return verdict;
    }
    replay.stop_recording();
    builtin.finish_alone(&open)
}

/// Standard input whose start can be read twice: for the stream's header, and for the whole stream.
struct Replay<'a>(Mutex<Recording<'a>>);

struct Recording<'a> {
    source: Box<dyn Read + Send + 'a>,
    /// The bytes that were read for the header.
    head: Vec<u8>,
    recording: bool,
    passes: u32,
}

/// One of the two readings.
struct Pass<'r, 'a> {
    replay: &'r Replay<'a>,
    at: usize,
}

impl<'a> Replay<'a> {
    fn new(source: Box<dyn Read + Send + 'a>) -> Self {
        Self(Mutex::new(Recording { source, head: Vec::new(), recording: true, passes: 0 }))
    }

    fn lock(&self) -> MutexGuard<'_, Recording<'a>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        let mut recording = self.lock();
        recording.passes += 1;
        if recording.passes > 2 {
            return Err(io::Error::other("standard input can be read only once"));
        }
        Ok(Box::new(Pass { replay: self, at: 0 }))
    }

    fn stop_recording(&self) {
        self.lock().recording = false;
    }
}

impl Read for Pass<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut recording = self.replay.lock();
        let recorded = recording.head.get(self.at..).unwrap_or_default();
        if !recorded.is_empty() {
            let len = recorded.len().min(buffer.len());
            buffer[..len].copy_from_slice(&recorded[..len]);
            self.at += len;
            return Ok(len);
        }
        let len = recording.source.read(buffer)?;
        if recording.recording {
            recording.head.extend_from_slice(&buffer[..len]);
            self.at += len;
        }
        Ok(len)
    }
}

fn open_session(words: &[String], sender: &str) -> Result<Session, String> {
    let policy = Policy::parse(words.get(1..).unwrap_or_default(), sender)
        .map_err(|error| format!("{}: {error}", BUILTIN))?;
    Session::new(policy, Locks::of_user()).map_err(|error: ReceiveError| error.to_string())
}

/// Checks the configured words.
fn check(words: &[String], sender: &str) -> Result<(), String> {
    Policy::parse(words, sender).map(drop).map_err(|error| error.to_string())
}

fn asked(arguments: &[Vec<u8>]) -> Result<Option<&str>, String> {
    match arguments {
        [] => Ok(None),
        [one] => std::str::from_utf8(one).map(Some).map_err(|_| "illegal dataset name".to_owned()),
        more => Err(format!("expected one argument, a dataset, and got {}", more.len())),
    }
}

fn verdict(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Done(applied) => {
            let lines: String = applied.iter().map(line).collect();
            Verdict::Done { output: lines.into_bytes(), reply: None }
        }
        Outcome::Duplicate(reason) => Verdict::Duplicate { reason: reason.to_owned() },
        // A person must learn of a wait that only a person can end, so it is a failure.
        Outcome::Defer(wait) if wait.needs_person() => {
            Verdict::Blocked { reason: wait.to_string() }
        }
        Outcome::Defer(wait) => Verdict::Defer { reason: wait.to_string() },
        Outcome::Reject(refusal) => failed(refusal.to_string()),
    }
}

fn line(applied: &Applied) -> String {
    let Applied { target, snapshot, to_name, to_guid, from_guid, bytes, seconds, unrecorded } =
        applied;
    let without = if *unrecorded { ", without a record" } else { "" };
    format!(
        "applied {target}@{snapshot}: {to_name}, guid {to_guid} from {from_guid}, {bytes} bytes in {seconds} s{without}\n"
    )
}

fn failed(reason: String) -> Verdict {
    Verdict::Failed { reason, output: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_each_reading_stays_the_end() {
        let replay = Replay::new(Box::new(&b"stream"[..]));
        assert_eq!(crate::blocks::ends_for_good(replay.pass().unwrap()), b"stream");
        replay.stop_recording();
        assert_eq!(crate::blocks::ends_for_good(replay.pass().unwrap()), b"stream");
    }
}
