//! `builtin:zfs-receive`: ZFS streams applied below one dataset, base first, whatever order their
//! packets arrived in.
//!
//! What the sender may add is one argument: the dataset below `--into` (with `--host NAME` in
//! front of it). Everything else is the configuration's.

use super::{Builtin, Call, Reply, Verdict};
use crate::chain::Next as Step;
use crate::zfs::lock::Locks;
use crate::zfs::receipt;
use crate::zfs::receive::{Applied, Held, Open, Outcome, Policy, ReceiveError, Session};
use std::io::{self, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Everything that waits for the builtin, in all the queues of a toss.
#[derive(Default)]
pub struct ZfsReceive {
    /// One session for each way the configuration names the builtin, or why there is none.
    sessions: Vec<(Words, Result<Session, String>)>,
}

/// Configured words, and the sender's name.
type Words = (Vec<String>, String);

/// What is to be done with a packet that was added.
#[derive(Debug)]
pub enum Next {
    /// It is to be applied now.
    Apply(usize),
    /// It needs nothing more: this became of it.
    Answer(usize, Verdict),
}

/// A stream that waits: by whom the configuration names the builtin, and what the sender asks for.
#[derive(Debug, Clone, Copy)]
pub struct Waiting<'a> {
    /// The configured words, the builtin's name first.
    pub words: &'a [String],
    /// The sender's name in our configuration.
    pub sender: &'a str,
    /// What the sender added.
    pub arguments: &'a [Vec<u8>],
    /// Since when it waits.
    pub since: SystemTime,
}

impl ZfsReceive {
    /// Looks at the head of a stream. A verdict is final; without one, [`ZfsReceive::next_step`]
    /// will name the key.
    pub fn add(&mut self, key: usize, waiting: Waiting<'_>, open: &Open<'_>) -> Option<Verdict> {
        let asked = match asked(waiting.arguments) {
            Ok(asked) => asked,
            Err(reason) => return Some(failed(reason)),
        };
        match self.session(waiting) {
            Ok(session) => session.add(key, asked, waiting.since, open),
            Err(reason) => return Some(Verdict::Blocked { reason: reason.clone() }),
        }
        None
    }

    /// What to do next; `None` when everything that was added is done with.
    pub fn next_step(&mut self) -> Option<Next> {
        self.sessions.iter_mut().filter_map(|(_, session)| session.as_mut().ok()).find_map(
            |session| {
                Some(match session.step()? {
                    Step::Apply(key) => Next::Apply(key),
                    Step::Answer(key, outcome) => Next::Answer(key, verdict(outcome)),
                })
            },
        )
    }

    /// What would become of everything that was added, if it were applied now.
    pub fn overview(&self) -> Vec<Held> {
        let sessions = self.sessions.iter().filter_map(|(_, session)| session.as_ref().ok());
        sessions.flat_map(Session::overview).collect()
    }

    /// Applies a stream that was authenticated as a whole.
    pub fn apply(&mut self, key: usize, open: &Open<'_>) -> Verdict {
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

    /// What a person should look at before a sender does damage by it.
    pub fn warnings(&self) -> Vec<(&str, &str)> {
        let mut all = Vec::new();
        for ((_, sender), session) in &self.sessions {
            let warnings = session.as_ref().map(Session::warnings).unwrap_or_default();
            all.extend(warnings.iter().map(|text| (sender.as_str(), text.as_str())));
        }
        all
    }

    /// What is to be queued for each sender, by its name, when nothing is left to be done.
    pub fn replies(&self) -> Vec<(String, Reply)> {
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

    fn session(&mut self, waiting: Waiting<'_>) -> &mut Result<Session, String> {
        let words = (waiting.words.to_vec(), waiting.sender.to_owned());
        let at = match self.sessions.iter().position(|(other, _)| *other == words) {
            Some(at) => at,
            None => {
                let session = open_session(waiting.words, waiting.sender);
                self.sessions.push((words, session));
                self.sessions.len() - 1
            }
        };
        &mut self.sessions[at].1
    }
}

/// Applies one stream on its own. `open` gives it each time anew.
pub fn once(waiting: Waiting<'_>, open: &Open<'_>) -> Verdict {
    alone(ZfsReceive::default(), waiting, open, || {})
}

/// Runs the builtin on standard input: what `packmule handle zfs-receive` does.
pub(super) fn run(call: Call<'_>) -> Verdict {
    let (settings, arguments) = call.words.split_at(call.configured);
    let settings: Result<Vec<_>, _> =
        settings.iter().map(|word| String::from_utf8(word.clone())).collect();
    let Ok(settings) = settings else { return failed("a setting is not UTF-8".to_owned()) };
    let since = SystemTime::now();
    let waiting = Waiting { words: &settings, sender: &call.name, arguments, since };
    let replay = Replay::new(call.input);
    let open = || replay.pass();
    let mut builtin = ZfsReceive::default();
    if let Ok(session) = builtin.session(waiting) {
        session.read_once();
    }
    alone(builtin, waiting, &open, || replay.stop_recording())
}

fn alone(
    mut builtin: ZfsReceive,
    waiting: Waiting<'_>,
    open: &Open<'_>,
    looked: impl Fn(),
) -> Verdict {
    if let Some(verdict) = builtin.add(0, waiting, open) {
        return verdict;
    }
    looked();
    let verdict = match builtin.next_step() {
        Some(Next::Apply(key)) => builtin.apply(key, open),
        Some(Next::Answer(_, verdict)) => verdict,
        None => failed("nothing to do".to_owned()),
    };
    let reply = builtin.replies().pop().map(|(_, reply)| reply);
    match verdict {
        Verdict::Done { output, reply: None } => Verdict::Done { output, reply },
        // A receipt that was lost is made up for when the stream comes again.
        Verdict::Duplicate { .. } if reply.is_some() => Verdict::Done { output: Vec::new(), reply },
        other => other,
    }
}

/// Standard input, whose beginning is read twice: for a look at its head, and then for good.
struct Replay<'a>(Mutex<Recording<'a>>);

struct Recording<'a> {
    source: Box<dyn Read + Send + 'a>,
    /// What the look has read.
    head: Vec<u8>,
    recording: bool,
    passes: u32,
}

/// One reading of it.
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
        .map_err(|error| format!("{}: {error}", Builtin::ZfsReceive))?;
    Session::new(policy, Locks::of_user()).map_err(|error: ReceiveError| error.to_string())
}

/// Whether these words are its settings.
pub(super) fn check(words: &[String], sender: &str) -> Result<(), String> {
    Policy::parse(words, sender).map(drop).map_err(|error| error.to_string())
}

fn asked(arguments: &[Vec<u8>]) -> Result<Option<&str>, String> {
    match arguments {
        [] => Ok(None),
        [one] => std::str::from_utf8(one).map(Some).map_err(|_| "illegal dataset name".to_owned()),
        more => Err(format!("{} arguments where one dataset is taken", more.len())),
    }
}

fn verdict(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Done(applied) => {
            let lines: String = applied.iter().map(line).collect();
            Verdict::Done { output: lines.into_bytes(), reply: None }
        }
        Outcome::Duplicate(reason) => Verdict::Duplicate { reason: reason.to_owned() },
        // A deferral that only a person can end must not be quiet.
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
