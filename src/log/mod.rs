//! The log: what happened, as records in a file and as sentences for whoever watches.
//!
//! [`event`] makes a [`Record`] of each event, [`recfile`] is the text of records, `sink` appends
//! them to the log file. The log prints nothing: the observer that `cli` sets gets every record. It
//! never fails the work it records.

pub(crate) mod event;
pub(crate) mod online;
pub mod recfile;
mod record;
pub mod sentence;
mod sink;

pub use record::{Entry, Level, Record};
pub use sink::SinkError;
pub(crate) use sink::{Target, lock_path};

use std::fmt;
use std::sync::Arc;

/// What the observer is told.
#[derive(Debug, Clone, Copy)]
pub enum Notice<'a> {
    /// An event; debug events only where they were asked for.
    Event(&'a Entry),
    /// The log could not be written. Told once; the work goes on.
    LogFailed(&'a SinkError),
}

/// Whoever shows events to people. Called from any thread.
pub(crate) type Observer = dyn Fn(Notice<'_>) + Send + Sync;

/// Where events go: the log file, and the observer.
#[derive(Clone)]
pub(crate) struct Log(Arc<Inner>);

struct Inner {
    sink: Option<sink::Sink>,
    debug: bool,
    observer: Option<Box<Observer>>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Log").field(&self.0.sink).finish()
    }
}

impl Log {
    /// A log that appends to `target` and tells `observer`, debug events left out.
    pub(crate) fn new(target: Option<Target>, observer: Option<Box<Observer>>) -> Self {
        Self(Arc::new(Inner { sink: target.map(sink::Sink::new), debug: false, observer }))
    }

    /// The same, with debug events too.
    pub(crate) fn with_debug(target: Option<Target>, observer: Box<Observer>) -> Self {
        let sink = target.map(sink::Sink::new);
        Self(Arc::new(Inner { sink, debug: true, observer: Some(observer) }))
    }

    /// A log that nobody reads.
    pub(crate) fn none() -> Self {
        Self::new(None, None)
    }

    /// Something was done.
    pub(crate) fn info(&self, record: Record) {
        self.record(&Entry::now(Level::Info, record));
    }

    /// Something failed: `record` says what, `error` why.
    pub(crate) fn error(&self, record: Record, error: &dyn fmt::Display) {
        self.record(&Entry::now(Level::Error(error.to_string()), record));
    }

    /// A step on the way. Never reaches the log file, only an observer that asked for it; the
    /// record is not even made for others.
    pub(crate) fn debug(&self, record: impl FnOnce() -> Record) {
        if let Some(observer) = &self.0.observer
            && self.0.debug
        {
            observer(Notice::Event(&Entry::now(Level::Debug, record())));
        }
    }

    fn record(&self, entry: &Entry) {
        let tell = |notice: Notice<'_>| {
            if let Some(observer) = &self.0.observer {
                observer(notice);
            }
        };
        if let Some(sink) = &self.0.sink
            && let Some(error) = sink.append(&recfile::write(entry))
        {
            tell(Notice::LogFailed(&error));
        }
        tell(Notice::Event(entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn the_observer_gets_all_and_the_file_no_debug() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let observer = {
            let seen = seen.clone();
            Box::new(move |notice: Notice<'_>| seen.lock().unwrap().push(format!("{notice:?}")))
        };
        let log = Log::with_debug(Some(Target::File(path.clone())), observer);
        log.debug(|| Record::new("tmp", "made"));
        log.info(Record::new("rm", "removed").field("File", "x"));
        log.error(Record::new("rm", "removed"), &"no");
        assert_eq!(seen.lock().unwrap().len(), 3);
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.matches("When: ").count(), 2, "{text}");
        assert!(text.starts_with("\nWhen: ") && text.ends_with("\nMsg: removed\n"), "{text}");
        assert!(text.contains("\nErr: no\nWho: rm\n"), "{text}");
    }

    #[test]
    fn a_log_that_can_not_be_written_is_told_once() {
        let told = Arc::new(Mutex::new(0));
        let observer = {
            let told = told.clone();
            Box::new(move |notice: Notice<'_>| {
                if let Notice::LogFailed(_) = notice {
                    *told.lock().unwrap() += 1;
                }
            })
        };
        let log = Log::new(Some(Target::File("/nonexistent/log".into())), Some(observer));
        log.info(Record::new("rm", "one"));
        log.info(Record::new("rm", "two"));
        assert_eq!(*told.lock().unwrap(), 1);
    }
}
