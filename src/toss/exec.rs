//! Processes a command: runs the handler that the configuration names for the sender.

use super::answer::answer;
use super::arrival::{Arrival, Body, Reader};
use super::builtin::{Turn, chooses_order};
use super::notify;
use super::options::Toss;
use super::outcome::{Acted, Effect, Stays, failed};
use crate::handler::{self, Call, Queued, Verdict};
use crate::log::Record;
use crate::log::event::Rx;
use crate::outbound::path;
use crate::spool::Job;
use crate::unpack::{Window, frames};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::Kind;
use std::io::{self, BufRead, BufReader};
use std::time::{Duration, SystemTime};

impl Toss<'_> {
    pub(super) fn exec<'a>(
        &self,
        arrival: &Arrival<'a>,
        reader: Reader<'a>,
        turn: Turn<'_>,
    ) -> Acted {
        let plain = reader.plain().clone();
        let dst = path::shown(&plain.command().join(&b' '));
        let mut command = plain.command().into_iter();
        let handle = path::shown(command.next().unwrap_or_default());
        let configured = arrival.author.exec.get(&handle).filter(|words| !words.is_empty());
        let Some(configured) = configured else {
            let record = arrival.rx.exec_fault(&dst, None, ExecFault::NoHandle);
            return Err(failed(self, record, &"No handle found"));
        };
        let orders = chooses_order(configured);
        if turn.is_peek() && !orders {
            return Err(Stays::Skipped);
        }
        let arguments: Vec<_> = command.map(<[u8]>::to_vec).collect();
        if orders && !self.options.dry_run {
            let verdict = self.ordered(arrival, reader, turn, configured, &arguments)?;
            return self.concluded(arrival, &handle, &dst, verdict);
        }
        let input =
            arrival.authenticated(reader).map_err(|error| self.unreadable(&arrival.rx, &error))?;
        if self.options.dry_run {
            self.local.log.info(arrival.rx.exec(&dst));
            return Ok(Effect::default());
        }
        let input = payload(plain.kind, input)
            .map_err(|error| self.handle_failed(arrival, &dst, &error, &[]))?;
        let verdict = self.alone(arrival, configured, arguments, plain.nice, input);
        self.concluded(arrival, &handle, &dst, verdict)
    }

    /// Runs a handler for one packet.
    fn alone(
        &self,
        arrival: &Arrival<'_>,
        configured: &[String],
        arguments: Vec<Vec<u8>>,
        nice: Option<Niceness>,
        input: Body<'_>,
    ) -> Verdict {
        let words = configured.iter().map(|word| word.clone().into_bytes());
        let call = Call {
            words: words.chain(arguments).collect(),
            configured: configured.len(),
            own: self.local.node.self_neighbour().id.to_string(),
            sender: arrival.author.peer.id.to_string(),
            name: arrival.author.peer.name.to_owned(),
            nice,
            input,
        };
        handler::run(call, &self.options.search)
    }

    /// Passes a packet to a builtin that chooses the order of its packets.
    fn ordered<'a>(
        &self,
        arrival: &Arrival<'a>,
        reader: Reader<'a>,
        turn: Turn<'_>,
        words: &[String],
        arguments: &[Vec<u8>],
    ) -> Result<Verdict, Stays> {
        let kind = reader.plain().kind;
        let sender = match arrival.author.neighbour {
            Some(neighbour) => neighbour.name.clone(),
            None => format!("area:{}", arrival.author.peer.name),
        };
        let packet = Queued { words, sender: &sender, arguments, since: since(arrival.job) };
        let open = || opened(arrival, kind);
        turn.take(packet, &open, move || {
            let read = arrival.authenticated(reader).map(drop);
            read.map_err(|error| self.unreadable(&arrival.rx, &error))
        })
    }

    /// Logs the verdict of a handler, which determines whether the packet is removed.
    fn concluded(&self, arrival: &Arrival<'_>, handle: &str, dst: &str, verdict: Verdict) -> Acted {
        match verdict {
            Verdict::Done { output, reply } => {
                // The packet stays until the reply is queued, because the sender waits for it.
                // There are no replies within an area.
                if let Some((reply, neighbour)) = reply.zip(arrival.author.neighbour) {
                    answer(self.local, neighbour, reply)
                        .map_err(|error| self.handle_failed(arrival, dst, &error, &output))?;
                }
                if let Err(error) = notify::exec(self, arrival, handle, dst, &output) {
                    failed(self, arrival.rx.exec_fault(dst, None, ExecFault::Notify), &error);
                }
            }
            Verdict::Duplicate { reason: _ } => {}
            Verdict::Defer { reason } => {
                self.local.log.info(arrival.rx.exec_deferred(dst, &reason));
                return Err(Stays::Deferred);
            }
            Verdict::Blocked { reason } => {
                self.handle_failed(arrival, dst, &reason, &[]);
                return Err(Stays::Blocked);
            }
            Verdict::Failed { reason, output } => {
                return Err(self.handle_failed(arrival, dst, &reason, &output));
            }
        }
        self.local.log.info(arrival.rx.exec(dst));
        Ok(Effect::default())
    }

    fn handle_failed(
        &self,
        arrival: &Arrival<'_>,
        dst: &str,
        error: &dyn std::fmt::Display,
        output: &[u8],
    ) -> Stays {
        let output = shown(output);
        let record = arrival.rx.exec_fault(dst, output.as_deref(), ExecFault::Handle);
        failed(self, record, error)
    }
}

/// The time when a packet arrived.
fn since(job: &Job) -> SystemTime {
    let (seconds, nanoseconds) = job.modified;
    let since = Duration::new(
        u64::try_from(seconds).unwrap_or_default(),
        u32::try_from(nanoseconds).unwrap_or_default(),
    );
    SystemTime::UNIX_EPOCH + since
}

/// A handler's input from its start, before the packet is completely authenticated.
fn opened<'a>(arrival: &Arrival<'a>, kind: Kind) -> io::Result<Body<'a>> {
    let reader = arrival.reader().map_err(io::Error::other)?;
    match reader.whole() {
        Some(whole) => payload(kind, Box::new(io::Cursor::new(whole.to_vec()))),
        None => payload(kind, Box::new(reader)),
    }
}

/// A handler's input: the payload, decompressed if its kind says so. An empty payload is an empty
/// input, although it is not a valid frame.
fn payload(kind: Kind, body: Body<'_>) -> io::Result<Body<'_>> {
    if kind != Kind::Exec {
        return Ok(body);
    }
    let mut body = BufReader::with_capacity(128 * 1024, body);
    if body.fill_buf()?.is_empty() {
        return Ok(Box::new(io::empty()));
    }
    Ok(Box::new(frames(body, Window::Reference)?))
}

/// A handler's output for the log, without empty lines around it.
fn shown(output: &[u8]) -> Option<String> {
    let text = path::shown(output);
    let text = text.trim_matches('\n');
    (!text.is_empty()).then(|| text.to_owned())
}

/// A fault of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExecFault {
    /// The sender has no such handle.
    NoHandle,
    /// The handler failed.
    Handle,
    /// The notification mail failed.
    Notify,
}

/// The log records of commands.
impl Rx<'_> {
    /// A command ran. `dst` is its handle and arguments, joined by blanks.
    fn exec(&self, dst: &str) -> Record {
        let text = format!("Got exec from {} to {dst} ({})", self.name(), self.payload());
        self.record("rx", text).field("Type", "exec").field("Dst", dst)
    }

    /// A command did not run, or failed; `output` is what it printed.
    fn exec_fault(&self, dst: &str, output: Option<&str>, fault: ExecFault) -> Record {
        let (who, step) = match fault {
            ExecFault::NoHandle => ("rx-no-handle", ""),
            ExecFault::Handle => ("rx-handle", ": handling"),
            ExecFault::Notify => ("rx-notify", ": notifying"),
        };
        let record = self
            .record(who, format!("{}: {dst}{step}", self.head("exec")))
            .field("Type", "exec")
            .field("Dst", dst);
        match output {
            Some(output) => record.field("Output", output),
            None => record,
        }
    }

    /// The handler deferred the packet, which stays for the next toss.
    fn exec_deferred(&self, dst: &str, reason: &str) -> Record {
        self.record("rx-deferred", format!("{}: {dst}: deferred: {reason}", self.head("exec")))
            .field("Type", "exec")
            .field("Dst", dst)
            .field("Reason", reason)
    }
}
