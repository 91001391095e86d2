//! Progress of long work: counters that the work feeds and the command line draws.
//!
//! The work only adds to an atomic counter; whoever watches reads it when it likes. Without a
//! watcher (the default) a [`Meter`] costs one branch.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is being done. The reference prints these words before each progress line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// A packet is made, or sent.
    Tx,
    /// A packet is wrapped for the next hop.
    TxTrns,
    /// A packet is received.
    Rx,
    /// A received file is written to its place.
    RxFile,
    /// A packet is checked against its name.
    Check,
    /// A chunked file is put together.
    Reass,
    /// A file is hashed.
    Hash,
    /// The beginning of a file is hashed before it is continued.
    Prehash,
}

/// One piece of work in progress.
#[derive(Debug)]
pub struct Transfer {
    /// What is being done.
    pub work: Work,
    /// To what: a packet or file name.
    pub name: String,
    /// Bytes in all, if known beforehand.
    pub total: Option<u64>,
    done: AtomicU64,
}

impl Transfer {
    /// Bytes done so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

/// Several packets that are worked on one after the other, or side by side.
#[derive(Debug)]
pub struct Batch {
    /// What is done to each.
    pub work: Work,
    /// How many there are.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    packets_done: AtomicU64,
    bytes_done: AtomicU64,
}

impl Batch {
    /// Packets that are done with, well or not, and their bytes.
    pub fn done(&self) -> (u64, u64) {
        (self.packets_done.load(Ordering::Relaxed), self.bytes_done.load(Ordering::Relaxed))
    }
}

/// Whoever shows progress.
pub trait Watcher: Send + Sync {
    /// Work starts. The watcher may keep the transfer and look at it until it has ended.
    fn started(&self, transfer: &Arc<Transfer>);
    /// Work has ended, well or not.
    fn ended(&self, transfer: &Arc<Transfer>);
    /// Several packets are to be worked on, each of which may start transfers.
    fn batch_started(&self, batch: &Arc<Batch>);
    /// No more of them is.
    fn batch_ended(&self, batch: &Arc<Batch>);
}

/// Where progress is reported to: nowhere by default. Cheap to clone.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn Watcher>>);

impl Progress {
    /// Reports to `watcher`.
    pub fn to(watcher: Arc<dyn Watcher>) -> Self {
        Self(Some(watcher))
    }

    /// Begins work on so many packets of so many bytes, which ends when the result is dropped.
    pub(crate) fn many(&self, work: Work, packets: u64, bytes: u64) -> Packets {
        Packets(self.0.as_ref().map(|watcher| {
            let (packets_done, bytes_done) = (AtomicU64::new(0), AtomicU64::new(0));
            let batch = Arc::new(Batch { work, packets, bytes, packets_done, bytes_done });
            watcher.batch_started(&batch);
            (batch, Arc::clone(watcher))
        }))
    }

    /// Begins work on packets of these sizes. See [`many`](Self::many).
    pub(crate) fn each(&self, work: Work, sizes: impl IntoIterator<Item = u64>) -> Packets {
        let (packets, bytes) =
            sizes.into_iter().fold((0, 0_u64), |(n, sum), size| (n + 1, sum.saturating_add(size)));
        self.many(work, packets, bytes)
    }

    /// Begins a piece of work, which ends when the meter is dropped.
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

/// Counts the packets of a batch, from any thread.
#[must_use = "the batch counts as ended when this is dropped"]
pub(crate) struct Packets(Option<(Arc<Batch>, Arc<dyn Watcher>)>);

impl Packets {
    /// One more packet of so many bytes is done with, well or not.
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
    /// So many more bytes are done.
    pub fn add(&self, bytes: u64) {
        if let Some((transfer, _)) = &self.0 {
            transfer.done.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Counts what is read of `source`.
    pub fn read<R: Read>(&self, source: R) -> Metered<'_, R> {
        Metered { meter: self, source }
    }
}

/// Counts the bytes that pass through it.
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
