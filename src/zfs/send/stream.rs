//! One `zfs send`, read once: walked as it flows, compressed, encrypted by a filter, and handed to
//! every destination. No destination sees its end unless all of it was good.

use super::super::command::{Zfs, ZfsError, collect, end, one_line};
use super::super::name::Dataset;
use super::super::stream::{Begin, Event, Walker};
use super::tee::{Tee, tee};
use super::{Chain, Queue, QueueError, SendError};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

const PIECE: usize = 256 << 10;

/// How a stream is packed on its way.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// The zstd level; `None` leaves it as it is.
    pub zstd: Option<i32>,
    /// A filter that encrypts, with its arguments.
    pub encrypt: Vec<String>,
}

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

/// Runs `zfs send` with these arguments and queues what it writes.
///
/// Gives what was seen of the stream, and what each destination said.
pub(super) fn send(
    zfs: &Zfs,
    args: &[String],
    expected: Expected,
    flow: &Flow,
    dataset: &Dataset,
    destinations: &[String],
    queue: &Queue<'_>,
) -> Result<(Seen, Queued), SendError> {
    let (tee, branches) = tee(destinations.len());
    std::thread::scope(|scope| {
        let queues: Vec<_> = destinations
            .iter()
            .zip(branches)
            .map(|(destination, mut branch)| {
                scope.spawn(move || queue(destination, dataset, &mut branch))
            })
            .collect();
        let result = produce(zfs, args, expected, flow, dataset, tee);
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

fn produce(
    zfs: &Zfs,
    args: &[String],
    expected: Expected,
    flow: &Flow,
    dataset: &Dataset,
    tee: Tee,
) -> Result<Seen, SendError> {
    let mut sender = Sender::start(zfs, args)?;
    let mut packed = Packed::start(flow, tee)?;
    let mut walker = Walker::new();
    let mut chain = Chain::default();
    let mut buffer = vec![0; PIECE];
    loop {
        let len = match sender.out.read(&mut buffer) {
            Ok(0) => break,
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let mut rest = &buffer[..len];
        while !rest.is_empty() {
            let (used, event) = walker.feed(rest)?;
            rest = &rest[used..];
            if let Some(Event::Begin(begin)) = event {
                chain = check(&begin, expected, dataset)?;
            }
        }
        packed.write_all(&buffer[..len])?;
    }
    sender.finish(zfs, args)?;
    walker.finish()?;
    packed.finish()?;
    Ok(Seen { bytes: walker.position(), chain })
}

fn check(begin: &Begin, expected: Expected, dataset: &Dataset) -> Result<Chain, SendError> {
    if (begin.to_guid, begin.from_guid) != (expected.to_guid, expected.from_guid) {
        return Err(SendError::OtherStream {
            got: begin.to_guid,
            from: begin.from_guid,
            wanted: expected.to_guid,
            base: expected.from_guid,
        });
    }
    let chain = Chain::from(begin);
    let departs = |departure| SendError::Departs(dataset.clone(), departure);
    expected.chain.map_or(Ok(()), |base| chain.follows(base)).map_err(departs)?;
    Ok(chain)
}

/// A running `zfs send`. Dropped, it is ended.
struct Sender {
    child: Child,
    out: std::process::ChildStdout,
    words: Receiver<Vec<u8>>,
}

impl Sender {
    fn start(zfs: &Zfs, args: &[String]) -> Result<Self, ZfsError> {
        let mut command = zfs.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| ZfsError::Io(zfs.shown(args), error))?;
        let out = child.stdout.take().expect("it is piped");
        let words = collect(child.stderr.take().expect("it is piped"), 64 << 10);
        let _ = rustix::pipe::fcntl_setpipe_size(&out, 1 << 20);
        Ok(Self { child, out, words })
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

/// The stages between the stream and its destinations.
enum Packed {
    Plain(Box<Sink>),
    Zstd(Box<zstd::Encoder<'static, Sink>>),
}

/// The last stage: the destinations, or a filter in front of them.
enum Sink {
    Tee(Tee),
    Filter(Filter),
}

struct Filter {
    shown: String,
    child: Child,
    stdin: Option<ChildStdin>,
    words: Receiver<Vec<u8>>,
    pump: Option<JoinHandle<io::Result<Tee>>>,
}

impl Packed {
    fn start(flow: &Flow, tee: Tee) -> Result<Self, SendError> {
        let sink = match &flow.encrypt[..] {
            [] => Sink::Tee(tee),
            [program, args @ ..] => Sink::Filter(Filter::start(program, args, tee)?),
        };
        Ok(match flow.zstd {
            None => Self::Plain(Box::new(sink)),
            Some(level) => {
                let mut encoder = zstd::Encoder::new(sink, level)?;
                encoder.include_checksum(true)?;
                Self::Zstd(Box::new(encoder))
            }
        })
    }

    fn finish(self) -> Result<(), SendError> {
        let sink = match self {
            Self::Plain(sink) => *sink,
            Self::Zstd(encoder) => encoder.finish()?,
        };
        match sink {
            Sink::Tee(tee) => tee.finish(),
            Sink::Filter(filter) => filter.finish()?.finish(),
        }
        Ok(())
    }
}

impl Write for Packed {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(sink) => sink.write(data),
            Self::Zstd(encoder) => encoder.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tee(tee) => tee.write(data),
            Self::Filter(Filter { stdin: Some(stdin), .. }) => stdin.write(data),
            Self::Filter(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Filter {
    fn start(program: &str, args: &[String], mut tee: Tee) -> Result<Self, SendError> {
        let shown = [&[program.to_owned()], args].concat().join(" ");
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| SendError::Filter(shown.clone(), error.to_string()))?;
        let stdin = child.stdin.take();
        let mut out = child.stdout.take().expect("it is piped");
        let words = collect(child.stderr.take().expect("it is piped"), 64 << 10);
        let pump = Some(std::thread::spawn(move || {
            let mut buffer = vec![0; PIECE];
            loop {
                match out.read(&mut buffer) {
                    Ok(0) => return Ok(tee),
                    Ok(len) => tee.write_all(&buffer[..len])?,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }));
        Ok(Self { shown, child, stdin, words, pump })
    }

    fn finish(mut self) -> Result<Tee, SendError> {
        drop(self.stdin.take());
        let pump = self.pump.take().expect("it was started");
        let tee = pump.join().unwrap_or_else(|_| Err(io::Error::other("the pump panicked")))?;
        let status = self.child.wait()?;
        if status.success() {
            return Ok(tee);
        }
        let words = self.words.recv().unwrap_or_default();
        let words = one_line(&String::from_utf8_lossy(&words));
        Err(SendError::Filter(self.shown.clone(), format!("{status} {words}")))
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        if self.pump.is_some() || self.stdin.is_some() {
            drop(self.stdin.take());
            end(&mut self.child);
        }
    }
}
