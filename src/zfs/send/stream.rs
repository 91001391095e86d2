//! Runs `zfs send` once for several destinations: checks and packs its output, and passes it to
//! each. No destination sees the end of a stream unless the whole stream was valid.

use super::super::command::{Zfs, ZfsError, end};
use super::super::name::Dataset;
use super::super::stream::{Begin, Event, Walker};
use super::chain::Chain;
use super::error::SendError;
use super::pack::{Flow, PIECE, Packed};
use super::queue::{Queue, QueueError};
use super::tee::{Tee, tee};
use std::io::{self, Read};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::Receiver;

/// The stream that was requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) to_guid: u64,
    pub(super) from_guid: u64,
    /// The features that the base requires; `None` if unknown.
    pub(super) chain: Option<Chain>,
}

/// The stream that was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Its length in bytes.
    pub(super) bytes: u64,
    /// The features that it requires of later streams.
    pub(super) chain: Chain,
}

/// The result of each destination's queue.
pub(super) type Queued = Vec<(String, Result<(), QueueError>)>;

/// One `zfs send`.
pub(super) struct Stream<'a> {
    pub(super) zfs: &'a Zfs,
    pub(super) args: Vec<String>,
    pub(super) dataset: &'a Dataset,
    pub(super) expected: Expected,
    pub(super) flow: &'a Flow,
}

impl Stream<'_> {
    /// Runs `zfs send` and queues its output. Returns the stream's properties and the result of
    /// each destination.
    pub(super) fn send(
        &self,
        destinations: &[String],
        queue: &Queue<'_>,
    ) -> Result<(Seen, Queued), SendError> {
        let (tee, branches) = tee(destinations.len());
        let dataset = self.dataset;
        std::thread::scope(|scope| {
            let queues: Vec<_> = destinations
                .iter()
                .zip(branches)
                .map(|(destination, mut branch)| {
                    scope.spawn(move || queue(destination, dataset, &mut branch))
                })
                .collect();
            let result = self.produce(tee);
            let panicked = || Err("the queue panicked".into());
            let said = queues.into_iter().map(|queue| queue.join().unwrap_or_else(|_| panicked()));
            let queued: Queued = destinations.iter().cloned().zip(said).collect();
            match result {
                // If every destination failed, the first failure says more than the broken pipe.
                Err(SendError::Read(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                    Ok((Seen::default(), queued))
                }
                result => result.map(|seen| (seen, queued)),
            }
        })
    }

    fn produce(&self, tee: Tee) -> Result<Seen, SendError> {
        // Drops the pipe before it waits: a `zfs` that belongs to root cannot be killed, and exits
        // only when its pipe closes.
        let (mut sender, mut out) = Sender::start(self.zfs, &self.args)?;
        let mut packed = Packed::start(self.flow, tee)?;
        let mut walker = Walker::new();
        let mut chain = Chain::default();
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            (&mut out).take(PIECE as u64).read_to_end(&mut piece)?;
            if piece.is_empty() {
                break;
            }
            let mut rest = &piece[..];
            while !rest.is_empty() {
                let (used, event) = walker.feed(rest)?;
                rest = &rest[used..];
                if let Some(Event::Begin(begin)) = event {
                    chain = self.chain_of(&begin)?;
                }
            }
            if let Err(error) = packed.pass(piece) {
                return Err(packed.fault(error));
            }
        }
        sender.finish(self.zfs, &self.args)?;
        walker.finish()?;
        packed.finish()?;
        Ok(Seen { bytes: walker.position(), chain })
    }

    /// The features of a stream, if it is the requested one.
    fn chain_of(&self, begin: &Begin) -> Result<Chain, SendError> {
        let expected = self.expected;
        if (begin.to_guid, begin.from_guid) != (expected.to_guid, expected.from_guid) {
            return Err(SendError::OtherStream {
                got: begin.to_guid,
                from: begin.from_guid,
                wanted: expected.to_guid,
                base: expected.from_guid,
            });
        }
        let chain = Chain::from(begin);
        let departs = |departure| SendError::Departs(self.dataset.clone(), departure);
        expected.chain.map_or(Ok(()), |base| chain.follows(base)).map_err(departs)?;
        Ok(chain)
    }
}

/// A running `zfs send`. Dropping it kills `zfs`.
struct Sender {
    child: Child,
    stderr: Receiver<Vec<u8>>,
}

impl Sender {
    fn start(zfs: &Zfs, args: &[String]) -> Result<(Self, ChildStdout), ZfsError> {
        let (mut child, stderr) = zfs.start(args, Stdio::null(), Stdio::piped())?;
        let out = child.stdout.take().expect("it is piped");
        let _ = rustix::pipe::fcntl_setpipe_size(&out, 1 << 20);
        Ok((Self { child, stderr }, out))
    }

    fn finish(&mut self, zfs: &Zfs, args: &[String]) -> Result<(), SendError> {
        let status = self.child.wait()?;
        let stderr = String::from_utf8_lossy(&self.stderr.recv().unwrap_or_default()).into_owned();
        if status.success() {
            return Ok(());
        }
        let (command, status) = (zfs.shown(args), status.code());
        Err(ZfsError::Failed { command, status, stderr }.into())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            end(&mut self.child);
        }
    }
}
