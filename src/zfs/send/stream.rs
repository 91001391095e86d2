//! One `zfs send`, read once: walked as it flows, packed, and handed to every destination. No
//! destination sees its end unless all of it was good.

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

/// What is expected of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) to_guid: u64,
    pub(super) from_guid: u64,
    /// What the base binds it to, where that is known.
    pub(super) chain: Option<Chain>,
}

/// What was seen of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Its length.
    pub(super) bytes: u64,
    /// What it binds those to that come after it.
    pub(super) chain: Chain,
}

/// What each destination said.
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
    /// Runs it, and queues what it writes.
    ///
    /// Gives what was seen of the stream, and what each destination said.
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
                // When every destination failed, the first of them tells more than a broken pipe.
                Err(SendError::Read(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                    Ok((Seen::default(), queued))
                }
                result => result.map(|seen| (seen, queued)),
            }
        })
    }

    fn produce(&self, tee: Tee) -> Result<Seen, SendError> {
        // The pipe is dropped first: a `zfs` out of our reach ends only by that.
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

    /// The chain of a stream, if it is the one that was asked for.
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

/// A running `zfs send`. Dropped, it is ended.
struct Sender {
    child: Child,
    words: Receiver<Vec<u8>>,
}

impl Sender {
    fn start(zfs: &Zfs, args: &[String]) -> Result<(Self, ChildStdout), ZfsError> {
        let (mut child, words) = zfs.start(args, Stdio::null(), Stdio::piped())?;
        let out = child.stdout.take().expect("it is piped");
        let _ = rustix::pipe::fcntl_setpipe_size(&out, 1 << 20);
        Ok((Self { child, words }, out))
    }

    fn finish(&mut self, zfs: &Zfs, args: &[String]) -> Result<(), SendError> {
        let status = self.child.wait()?;
        let words = String::from_utf8_lossy(&self.words.recv().unwrap_or_default()).into_owned();
        if status.success() {
            return Ok(());
        }
        let (command, status) = (zfs.shown(args), status.code());
        Err(ZfsError::Failed { command, status, words }.into())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            end(&mut self.child);
        }
    }
}
