//! Progress of long work: counters that the work feeds and the command line draws.
//!
//! The work only adds to an atomic counter; whoever watches reads it when it likes. Without a
//! watcher (the default) a [`Meter`] costs one branch.

use std::io::{self, Read};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What is being done. The reference prints these words before each progress line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Whoever shows progress.
pub trait Watcher: Send + Sync {
    /// Work starts. The watcher may keep the transfer and look at it until it has ended.
    fn started(&self, transfer: &Arc<Transfer>);
    /// Work has ended, well or not.
    fn ended(&self, transfer: &Arc<Transfer>);
}

/// Where progress is reported to: nowhere by default. Cheap to clone.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn Watcher>>);

impl Progress {
    /// Reports to `watcher`.
    pub fn to(watcher: Arc<dyn Watcher>) -> Self {
        Self(Some(watcher))
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
    fn nobody_has_to_watch() {
        Progress::default().start(Work::Rx, "f", None).add(1);
    }

    #[test]
    fn the_end_of_what_is_counted_stays_the_end() {
        let meter = Progress::default().start(Work::Tx, "x", None);
        assert_eq!(crate::blocks::ends_for_good(meter.read(&b"abc"[..])), b"abc");
    }
}
