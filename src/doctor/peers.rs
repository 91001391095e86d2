//! The state of each neighbour: queues, last contact, last failure.

use crate::config::Node;
use crate::disk::DiskError;
use crate::display::reason;
use crate::local::Local;
use crate::log::Target;
use crate::log::recfile::{Fields, ReadError, Reader};
use crate::spool::{Spool, Totals, Xx};
use packmule_protocol::id::NodeId;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::PathBuf;

/// A failure with a neighbour, from the log.
#[non_exhaustive]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// The time, in the log's format.
    pub when: String,
    /// The name of the event.
    pub who: String,
    /// The event as a sentence.
    pub message: String,
    /// The error.
    pub error: String,
}

/// The state of a neighbour.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: NodeId,
    /// The time when a session with it last began or ended, in the log's format.
    pub last_contact: Option<String>,
    /// Packets received from it and not yet tossed.
    pub rx: Totals,
    /// Packets queued for it.
    pub tx: Totals,
    /// Partly received packets.
    pub partial: Totals,
    /// The last failure, unless something succeeded after it.
    pub failure: Option<Failure>,
}

#[derive(Default)]
struct Said {
    contact: Option<String>,
    failure: Option<Failure>,
}

impl Local {
    /// The state of every neighbour, in order of name: queues, last contact, last failure.
    ///
    /// # Errors
    /// The spool or the log cannot be read.
    pub fn standings(&self) -> Result<Vec<Standing>, StandingError> {
        standings(&self.node, &self.spool, log_of(&self.node.log)?)
    }
}

/// Opens the log; `None` if it is not a file, or does not exist yet.
///
/// # Errors
/// The log cannot be opened.
pub(crate) fn log_of(target: &Target) -> Result<Option<BufReader<File>>, StandingError> {
    let Target::File(path) = target else { return Ok(None) };
    match File::open(path) {
        Ok(file) => Ok(Some(BufReader::new(file))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StandingError::Open { path: path.clone(), error }),
    }
}

/// The state of every neighbour, in order of name. Without a log, only the queues.
///
/// # Errors
/// The spool or the log cannot be read.
pub(crate) fn standings(
    node: &Node,
    spool: &Spool,
    log: Option<impl BufRead>,
) -> Result<Vec<Standing>, StandingError> {
    let mut said = log.map(read).transpose()?.unwrap_or_default();
    node.neighbours
        .values()
        .map(|neighbour| {
            let Said { contact, failure } =
                said.remove(&neighbour.id.to_string()).unwrap_or_default();
            Ok(Standing {
                name: neighbour.name.clone(),
                id: neighbour.id,
                last_contact: contact,
                rx: spool.totals(&neighbour.id, Xx::Rx)?,
                tx: spool.totals(&neighbour.id, Xx::Tx)?,
                partial: spool.partial(&neighbour.id)?,
                failure,
            })
        })
        .collect()
}

/// The spool or the log cannot be read.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum StandingError {
    /// The spool cannot be read.
    #[error(transparent)]
    Spool(#[from] DiskError),
    /// The log cannot be opened.
    #[error("{}: {}", .path.display(), reason(.error))]
    Open {
        /// Its path.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The log is damaged.
    #[error("log: {0}")]
    Log(#[from] ReadError),
}

/// Reads the last contact and failure of each node from the log.
fn read(log: impl BufRead) -> Result<HashMap<String, Said>, ReadError> {
    let mut said: HashMap<String, Said> = HashMap::new();
    let mut reader = Reader::new(log);
    while let Some(record) = reader.record()? {
        let Some(node) = record.last("Node") else { continue };
        let text = |name| record.last(name).unwrap_or_default().to_owned();
        let who = text("Who");
        let entry = said.entry(node.to_owned()).or_default();
        if record.last("Err").is_some() {
            let (when, message, error) = (text("When"), text("Msg"), text("Err"));
            entry.failure = Some(Failure { when, who, message, error });
        } else if is_contact(&record) {
            entry.contact = Some(text("When"));
            if who == "call-finished" {
                entry.failure = None;
            }
        }
    }
    Ok(said)
}

/// True if a session began or ended. The reference logs `call-started` even for callers it rejected,
/// so only outgoing calls count, which have an address.
fn is_contact(record: &Fields) -> bool {
    match record.last("Who") {
        Some("call-finished") => true,
        Some("call-started") => record.last("Addr").is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing;
    use crate::local::testing::TestNode;

    #[test]
    fn the_log_tells_the_last_contact_and_what_failed_since() {
        let bob = testing::neighbour("bob", 2);
        let (id, node) = (bob.id, TestNode::of(testing::node([bob])));
        let Local { node, spool, .. } = &node.local;
        let record = |when: u32, who: &str, rest: &str| {
            format!("\nWhen: 2026-11-24T22:00:0{when}Z\n{rest}Who: {who}\nNode: {id}\nMsg: text\n")
        };
        let stands = |log: String| {
            let standings = standings(node, spool, Some(log.as_bytes())).unwrap();
            let [bob] = standings.try_into().unwrap();
            (bob.last_contact, bob.failure.map(|failure| (failure.who, failure.error)))
        };
        let finished = record(1, "call-finished", "");
        let refused = record(2, "call-started", "");
        let failed = record(3, "calling", "Err: connection refused\n");
        let contact = Some("2026-11-24T22:00:01Z".to_owned());
        assert_eq!(stands(String::new()), (None, None));
        assert_eq!(stands(finished.clone() + &refused), (contact.clone(), None));
        let failure = Some(("calling".into(), "connection refused".into()));
        assert_eq!(stands(finished.clone() + &failed), (contact.clone(), failure));
        assert_eq!(stands(failed + &finished), (contact, None), "it went well since");
    }
}
