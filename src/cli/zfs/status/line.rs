//! One line of `packmule zfs status`: a sentence, or a JSON object with its kind.

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
        /// The dataset that would hold the backup.
        dataset: String,
        /// The configured sender; `None` for a DATASET of the command line.
        sender: Option<String>,
    },
    /// A packet that waits.
    Waiting(WaitingPacket),
    /// A problem that a person should check.
    Warning { text: String },
}

/// The state of a packet that can be applied now.
pub(super) const READY: &str = "ready";

/// A packet that waits.
#[derive(Debug, Serialize)]
pub(super) struct WaitingPacket {
    /// Its hash.
    pub(super) packet: String,
    /// The sender's name in our configuration.
    pub(super) sender: String,
    /// The target dataset. If the target is rejected, the sender's name for the dataset. `None` if
    /// neither is known.
    pub(super) dataset: Option<String>,
    /// True if it cannot be applied until a person acts.
    pub(super) stuck: bool,
    /// Its state, in words.
    pub(super) state: String,
    /// Length of the packet in bytes.
    pub(super) size: u64,
    /// When it arrived, in seconds since 1970.
    pub(super) since: i64,
    /// Guid of the base snapshot; `None` if it needs none.
    pub(super) base: Option<String>,
    /// Guid of the target's newest snapshot.
    pub(super) newest: Option<String>,
    /// The command to run here before `repair`.
    pub(super) first: Option<String>,
    /// The command to run on the sender if the base was lost.
    pub(super) repair: Option<String>,
}

impl Line {
    /// The line as it is printed.
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
