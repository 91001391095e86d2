//! One event: who tells it, its fields in order, and the sentence that says it.

use jiff::Timestamp;

/// An event, before it is given a time and a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub(super) who: &'static str,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) message: String,
}

/// How an event ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Level {
    /// A step on the way.
    Debug,
    /// Done.
    Info,
    /// Failed, and why.
    Error(String),
}

/// An event that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it happened.
    pub when: Timestamp,
    /// How it ended.
    pub level: Level,
    /// What it was.
    pub record: Record,
}

impl Record {
    /// An event told by `who`, in the words of `message`.
    pub(crate) fn new(who: &'static str, message: impl Into<String>) -> Self {
        Self { who, fields: Vec::new(), message: message.into() }
    }

    /// Adds a field. Names may repeat; their order is that of the calls.
    #[must_use]
    #[allow(clippy::needless_pass_by_value)] // ids, numbers and `Display` adapters, all small
    pub(crate) fn field(mut self, name: &'static str, value: impl ToString) -> Self {
        self.fields.push((name, value.to_string()));
        self
    }

    /// The kind of event.
    pub fn who(&self) -> &'static str {
        self.who
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The fields in their order, without `Who` and `Msg`.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.fields.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl Entry {
    pub(super) fn now(level: Level, record: Record) -> Self {
        Self { when: Timestamp::now(), level, record }
    }
}
