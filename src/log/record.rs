//! One event: its name, its fields in order, and its sentence.

use jiff::Timestamp;

/// An event without time and level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub(super) who: &'static str,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) message: String,
}

/// The level of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Level {
    /// A step.
    Debug,
    /// A success.
    Info,
    /// A failure, with the reason.
    Error(String),
}

/// An event with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The time.
    pub when: Timestamp,
    /// The level.
    pub level: Level,
    /// The event.
    pub record: Record,
}

impl Record {
    /// An event with the name `who` and the sentence `message`.
    pub(crate) fn new(who: &'static str, message: impl Into<String>) -> Self {
        Self { who, fields: Vec::new(), message: message.into() }
    }

    /// Adds a field. Names may repeat; the fields keep the order of the calls.
    #[must_use]
    #[allow(clippy::needless_pass_by_value)] // ids, numbers and `Display` adapters, all small
    pub(crate) fn field(mut self, name: &'static str, value: impl ToString) -> Self {
        self.fields.push((name, value.to_string()));
        self
    }

    /// The name of the event.
    pub fn who(&self) -> &'static str {
        self.who
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The fields in order, without `Who` and `Msg`.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.fields.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl Entry {
    pub(super) fn now(level: Level, record: Record) -> Self {
        Self { when: Timestamp::now(), level, record }
    }
}
