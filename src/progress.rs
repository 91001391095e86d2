//! Progress of long work: counters that the work updates and the command line displays.
//!
//! The work only adds to an atomic counter, which a watcher can read at any time. Without a
//! watcher, which is the default, a [`Meter`] costs one branch.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The kind of work. The reference prints these words at the start of each progress line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// A packet is written or sent.
    Tx,
    /// A packet is wrapped for the next hop.
    TxTrns,
    /// A packet is received.
    Rx,
    /// A received file is delivered.
    RxFile,
    /// A packet is checked against its name.
    Check,
    /// A chunked file is reassembled.
    Reass,
    /// A file is hashed.
    Hash,
    /// The start of a file is hashed before its transfer is resumed.
    Prehash,
}

/// One piece of work in progress.
#[derive(Debug)]
pub struct Transfer {
    /// The kind of work.
    pub work: Work,
    /// Its object: a packet or file name.
    pub name: String,
    /// Total number of bytes, if it is known in advance.
    pub total: Option<u64>,
    done: AtomicU64,
}

impl Transfer {
    /// Number of bytes done.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

/// Several packets, which are processed one after the other or in parallel.
#[derive(Debug)]
pub struct Batch {
    /// The kind of work.
    pub work: Work,
    /// Number of packets.
    pub packets: u64,
    /// Their total size in bytes.
    pub bytes: u64,
    packets_done: AtomicU64,
    bytes_done: AtomicU64,
}

impl Batch {
    /// Number of finished packets, successful or not, and their bytes.
    pub fn done(&self) -> (u64, u64) {
        (self.packets_done.load(Ordering::Relaxed), self.bytes_done.load(Ordering::Relaxed))
    }
}

/// Displays progress.
pub trait Watcher: Send + Sync {
    /// Work starts. The watcher may keep the transfer and read it until it has ended.
    fn started(&self, transfer: &Arc<Transfer>);
    /// Work has ended, successfully or not.
    fn ended(&self, transfer: &Arc<Transfer>);
    /// A batch of packets starts. Each of them may start transfers.
    fn batch_started(&self, batch: &Arc<Batch>);
    /// The batch has ended.
    fn batch_ended(&self, batch: &Arc<Batch>);
}

/// Reports progress to a watcher; by default to none. Cheap to clone.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn Watcher>>);

impl Progress {
    /// Reports to `watcher`.
    pub fn to(watcher: Arc<dyn Watcher>) -> Self {
        Self(Some(watcher))
    }

    /// Starts a batch of this many packets and bytes. It ends when the result is dropped.
    pub(crate) fn many(&self, work: Work, packets: u64, bytes: u64) -> Packets {
        Packets(self.0.as_ref().map(|watcher| {
            let (packets_done, bytes_done) = (AtomicU64::new(0), AtomicU64::new(0));
            let batch = Arc::new(Batch { work, packets, bytes, packets_done, bytes_done });
            watcher.batch_started(&batch);
            (batch, Arc::clone(watcher))
        }))
    }

    /// Starts a batch of packets with these sizes. See [`many`](Self::many).
    pub(crate) fn each(&self, work: Work, sizes: impl IntoIterator<Item = u64>) -> Packets {
        let (packets, bytes) =
            sizes.into_iter().fold((0, 0_u64), |(n, sum), size| (n + 1, sum.saturating_add(size)));
        self.many(work, packets, bytes)
    }

    /// Starts a piece of work. It ends when the meter is dropped.
    pub fn start(&self, work: Work, name: &str, total: Option<u64>) -> Meter {
        Meter(self.0.as_ref().map(|watcher| {
            let transfer =
                Arc::new(Transfer { work, name: name.into(), total, done: AtomicU64::new(0) });
            watcher.started(&transfer);
            (transfer, Arc::clone(watcher))
        }))
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Progress").field(&self.0.is_some()).finish()
    }
}

/// Counts the finished packets of a batch, from any thread.
#[must_use = "the batch counts as ended when this is dropped"]
pub(crate) struct Packets(Option<(Arc<Batch>, Arc<dyn Watcher>)>);

impl Packets {
    /// Counts a packet of this size as finished, successful or not.
    pub(crate) fn done(&self, bytes: u64) {
        if let Some((batch, _)) = &self.0 {
            batch.packets_done.fetch_add(1, Ordering::Relaxed);
            batch.bytes_done.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for Packets {
    fn drop(&mut self) {
        if let Some((batch, watcher)) = &self.0 {
            watcher.batch_ended(batch);
        }
    }
}

/// Counts the bytes of one piece of work, from any thread.
#[must_use = "the work counts as ended when the meter is dropped"]
pub struct Meter(Option<(Arc<Transfer>, Arc<dyn Watcher>)>);

impl Meter {
    /// Counts bytes as done.
    pub fn add(&self, bytes: u64) {
        if let Some((transfer, _)) = &self.0 {
            transfer.done.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Counts the bytes that are read from `source`.
    pub fn read<R: Read>(&self, source: R) -> Metered<'_, R> {
        Metered { meter: self, source }
    }
}

/// Counts the bytes that are read through it.
pub struct Metered<'a, R> {
    meter: &'a Meter,
    source: R,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.meter.add(read as u64);
        Ok(read)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some((transfer, watcher)) = &self.0 {
            watcher.ended(transfer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Watcher for Notes {
        fn started(&self, transfer: &Arc<Transfer>) {
            let note = format!("start {:?} {} {:?}", transfer.work, transfer.name, transfer.total);
            self.0.lock().unwrap().push(note);
        }
        fn ended(&self, transfer: &Arc<Transfer>) {
            self.0.lock().unwrap().push(format!("end {}", transfer.done()));
        }
        fn batch_started(&self, batch: &Arc<Batch>) {
            let note = format!("batch {:?} {} {}", batch.work, batch.packets, batch.bytes);
            self.0.lock().unwrap().push(note);
        }
        fn batch_ended(&self, batch: &Arc<Batch>) {
            self.0.lock().unwrap().push(format!("batch end {:?}", batch.done()));
        }
    }

    #[test]
    fn a_watcher_sees_the_start_the_count_and_the_end() {
        let notes = Arc::new(Notes::default());
        let meter = Progress::to(notes.clone()).start(Work::Tx, "f", Some(9));
        meter.add(4);
        meter.add(5);
        drop(meter);
        assert_eq!(*notes.0.lock().unwrap(), ["start Tx f Some(9)", "end 9"]);
    }

    #[test]
    fn a_watcher_sees_how_many_packets_are_done() {
        let notes = Arc::new(Notes::default());
        let packets = Progress::to(notes.clone()).many(Work::Rx, 3, 30);
        packets.done(10);
        packets.done(11);
        drop(packets);
        assert_eq!(*notes.0.lock().unwrap(), ["batch Rx 3 30", "batch end (2, 21)"]);
    }

    #[test]
    fn nobody_has_to_watch() {
        Progress::default().many(Work::Rx, 1, 1).done(1);
        Progress::default().start(Work::Rx, "f", None).add(1);
    }

    #[test]
    fn the_end_of_what_is_counted_stays_the_end() {
        let meter = Progress::default().start(Work::Tx, "x", None);
        assert_eq!(crate::blocks::ends_for_good(meter.read(&b"abc"[..])), b"abc");
    }
}
