//! One line of what `packmule zfs status` tells: a sentence, or an object of JSON with its kind.

use crate::age;
use crate::zfs::status::Newest;
use serde::Serialize;
use std::fmt;

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Line {
    /// The newest applied snapshot of a dataset.
    Newest(Newest),
    /// Nothing was ever applied there.
    Empty {
        /// Where it would be.
        dataset: String,
        /// Who should have sent it; `None` when nobody in particular was asked about.
        sender: Option<String>,
    },
    /// A packet that waits.
    Waiting(WaitingPacket),
    /// What a person should look at.
    Warning { text: String },
}

/// The state of what would be applied now.
pub(super) const READY: &str = "ready";

/// A packet that waits.
#[derive(Debug, Serialize)]
pub(super) struct WaitingPacket {
    /// Its hash.
    pub(super) packet: String,
    /// Who sent it, by name in our configuration.
    pub(super) sender: String,
    /// Where it goes, or what the sender calls it where that is refused; `None` when not even that is
    /// known.
    pub(super) dataset: Option<String>,
    /// Whether nothing becomes of it before a person acts.
    pub(super) stuck: bool,
    /// What it waits for, in words.
    pub(super) state: String,
    /// Length of the packet.
    pub(super) size: u64,
    /// Since when, seconds since 1970.
    pub(super) since: i64,
    /// Guid of the snapshot it needs; `None` when it needs none.
    pub(super) base: Option<String>,
    /// Guid of the newest snapshot that is there.
    pub(super) newest: Option<String>,
    /// What to run here before that.
    pub(super) first: Option<String>,
    /// What to run on the sender when what it waits for was lost.
    pub(super) repair: Option<String>,
}

impl Line {
    /// As it is printed.
    pub(super) fn printed(&self, json: bool) -> String {
        match serde_json::to_string(self) {
            Ok(line) if json => line + "\n",
            _ => crate::display::escape(&self.to_string()) + "\n",
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest(Newest { dataset, snapshot, guid, sender, age, .. }) => {
                let age = match age {
                    Some(age) => format!("{} old", age::shown(*age)),
                    None => "of unknown age".to_owned(),
                };
                write!(f, "{dataset}@{snapshot} from {sender}, {age}, guid {guid}")
            }
            Self::Empty { dataset, sender: Some(sender) } => {
                write!(f, "{dataset}: nothing from {sender} was ever applied")
            }
            Self::Empty { dataset, sender: None } => {
                write!(f, "{dataset}: nothing was ever applied")
            }
            Self::Waiting(WaitingPacket { packet, sender, dataset, state, .. }) => {
                let dataset = dataset.as_deref().unwrap_or("?");
                let more = match state.as_str() {
                    READY => ", the next toss applies it; if it stays, the log says why",
                    _ => "",
                };
                write!(f, "{dataset}: packet {packet} from {sender}: {state}{more}")
            }
            Self::Warning { text } => write!(f, "warning: {text}"),
        }
    }
}
