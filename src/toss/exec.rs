//! A command: the handler that the configuration names for the sender is run.

use super::Toss;
use super::answer::answer;
use super::notify;
use super::packet::{Acted, Arrival, Body, Effect, Reader, Stays, failed};
use crate::handler::{self, Call, Verdict};
use crate::log::event::ExecFault;
use crate::outbound::path;
use packmule_protocol::packet::Kind;
use std::io::{self, BufRead, BufReader};

/// Bytes a frame may look back: 2^23, what the reference writes at most.
const WINDOW_LOG_MAX: u32 = 23;

impl Toss<'_> {
    pub(super) fn exec<'a>(&self, arrival: &Arrival<'a>, reader: Reader<'a>) -> Acted {
        let plain = reader.plain().clone();
        let dst = path::shown(&plain.command().join(&b' '));
        let mut command = plain.command().into_iter();
        let handle = path::shown(command.next().unwrap_or_default());
        let configured = arrival.author.exec.get(&handle).filter(|words| !words.is_empty());
        let Some(configured) = configured else {
            let record = arrival.rx.exec_fault(&dst, None, ExecFault::NoHandle);
            return Err(failed(self, record, &"No handle found"));
        };
        let input =
            arrival.authenticated(reader).map_err(|error| self.unreadable(arrival, &error))?;
        if self.options.dry_run {
            self.outbox.log.info(arrival.rx.exec(&dst));
            return Ok(Effect::default());
        }
        let handle_failed = |error: &dyn std::fmt::Display, output: &[u8]| {
            let output = shown(output);
            let record = arrival.rx.exec_fault(&dst, output.as_deref(), ExecFault::Handle);
            failed(self, record, error)
        };
        let input = match plain.kind {
            Kind::Exec => decompressed(input).map_err(|error| handle_failed(&error, &[]))?,
            _ => input,
        };
        let mut words: Vec<Vec<u8>> =
            configured.iter().map(|word| word.clone().into_bytes()).collect();
        words.extend(command.map(<[u8]>::to_vec));
        let call = Call {
            words,
            configured: configured.len(),
            own: self.outbox.node.self_neighbour().id.to_string(),
            sender: arrival.author.peer.id.to_string(),
            nice: plain.nice,
            input,
        };
        match handler::run(call, &self.options.search) {
            Verdict::Done { output, reply } => {
                // Until the answer is queued the packet stays: the sender waits for it. Nobody gets
                // answers inside an area.
                if let Some((reply, neighbour)) = reply.zip(arrival.author.neighbour) {
                    answer(&self.outbox, neighbour, reply)
                        .map_err(|error| handle_failed(&error, &output))?;
                }
                if let Err(error) = notify::exec(self, arrival, &handle, &dst, &output) {
                    failed(self, arrival.rx.exec_fault(&dst, None, ExecFault::Notify), &error);
                }
            }
            Verdict::Duplicate { reason: _ } => {}
            Verdict::Defer { reason } => {
                self.outbox.log.info(arrival.rx.exec_deferred(&dst, &reason));
                return Err(Stays::Deferred);
            }
            Verdict::Failed { reason, output } => return Err(handle_failed(&reason, &output)),
        }
        self.outbox.log.info(arrival.rx.exec(&dst));
        Ok(Effect::default())
    }
}

/// What a compressed body holds. An empty one is empty input, not an empty frame.
fn decompressed(body: Body<'_>) -> io::Result<Body<'_>> {
    let mut body = BufReader::with_capacity(128 * 1024, body);
    if body.fill_buf()?.is_empty() {
        return Ok(Box::new(io::empty()));
    }
    let mut frame = zstd::stream::read::Decoder::with_buffer(body)?;
    frame.window_log_max(WINDOW_LOG_MAX)?;
    Ok(Box::new(frame))
}

/// A handler's output as it is logged: without empty lines around it.
fn shown(output: &[u8]) -> Option<String> {
    let text = path::shown(output);
    let text = text.trim_matches('\n');
    (!text.is_empty()).then(|| text.to_owned())
}
