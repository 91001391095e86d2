//! The log: events, as records in a file and as sentences for an observer.
//!
//! [`event`] makes a [`Record`] of each event, [`recfile`] formats records, `sink` appends them to
//! the log file. The log prints nothing: the observer, which `cli` sets, gets every record. An
//! error of the log never makes the recorded work fail.

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

/// A call of the observer.
#[derive(Debug, Clone, Copy)]
pub enum Notice<'a> {
    /// An event. Debug events are included only on request.
    Event(&'a Entry),
    /// The log could not be written. Reported once; the work continues.
    LogFailed(&'a SinkError),
}

/// Shows events to people. Called from any thread.
pub(crate) type Observer = dyn Fn(Notice<'_>) + Send + Sync;

/// Sends events to the log file and to the observer.
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
    /// A log that appends to `target` and calls `observer`, without debug events.
    pub(crate) fn new(target: Option<Target>, observer: Option<Box<Observer>>) -> Self {
        Self(Arc::new(Inner { sink: target.map(sink::Sink::new), debug: false, observer }))
    }

    /// As [`Log::new`], but with debug events for the observer.
    pub(crate) fn with_debug(target: Option<Target>, observer: Box<Observer>) -> Self {
        let sink = target.map(sink::Sink::new);
        Self(Arc::new(Inner { sink, debug: true, observer: Some(observer) }))
    }

    /// A log that discards everything.
    pub(crate) fn none() -> Self {
        Self::new(None, None)
    }

    /// Logs a success.
    pub(crate) fn info(&self, record: Record) {
        self.record(&Entry::now(Level::Info, record));
    }

    /// Logs a failure: `record` says of what, `error` says why.
    pub(crate) fn error(&self, record: Record, error: &dyn fmt::Display) {
        self.record(&Entry::now(Level::Error(error.to_string()), record));
    }

    /// Logs a debug event. It goes only to an observer that wants debug events, and never to the
    /// file. For others, `record` is not even called.
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
