//! How it stands with each neighbour: what waits, when we last spoke, what failed last.

use crate::config::Node;
use crate::disk::DiskError;
use crate::display::reason;
use crate::local::Local;
use crate::log::Target;
use crate::log::recfile::{Fields, ReadError, Reader};
use crate::spool::{Spool, Xx};
use packmule_protocol::id::NodeId;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::PathBuf;

/// What the packets that wait in one direction come to.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of packets.
    pub packets: u64,
    /// Their sizes together.
    pub bytes: u64,
    /// When the oldest was written, in seconds since 1970.
    pub oldest: Option<i64>,
    /// And the newest.
    pub newest: Option<i64>,
}

/// Something that failed with a neighbour.
#[non_exhaustive]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// When, as the log has it.
    pub when: String,
    /// The event.
    pub who: String,
    /// Its sentence.
    pub message: String,
    /// Why.
    pub error: String,
}

/// One neighbour.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: NodeId,
    /// When a session with it last began or ended, as the log has it.
    pub last_contact: Option<String>,
    /// What came from it and was not tossed.
    pub rx: Totals,
    /// What waits to go to it.
    pub tx: Totals,
    /// Packets of which only the beginning came.
    pub partial: Totals,
    /// The last thing that failed with it, if nothing went well since.
    pub failure: Option<Failure>,
}

#[derive(Default)]
struct Said {
    contact: Option<String>,
    failure: Option<Failure>,
}

impl Local {
    /// The state of every neighbour, by name: what waits, when we last spoke, what failed last.
    ///
    /// # Errors
    /// When the spool or the log can not be read.
    pub fn standings(&self) -> Result<Vec<Standing>, StandingError> {
        standings(&self.node, &self.spool, log_of(&self.node.log)?)
    }
}

/// What the log has so far; nothing when it is no file, or none yet.
///
/// # Errors
/// When it can not be read.
pub(crate) fn log_of(target: &Target) -> Result<Option<BufReader<File>>, StandingError> {
    let Target::File(path) = target else { return Ok(None) };
    match File::open(path) {
        Ok(file) => Ok(Some(BufReader::new(file))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StandingError::Open { path: path.clone(), error }),
    }
}

/// How it stands with every neighbour, by name. Without a log only the spool is looked at.
///
/// # Errors
/// When the spool or the log can not be read.
pub(crate) fn standings(
    node: &Node,
    spool: &Spool,
    log: Option<impl BufRead>,
) -> Result<Vec<Standing>, StandingError> {
    let mut said = log.map(read).transpose()?.unwrap_or_default();
    node.neighbours
        .values()
        .map(|neighbour| {
            let waiting = |xx| -> Result<Totals, DiskError> {
                Ok(spool
                    .listing(&neighbour.id, xx)?
                    .jobs
                    .iter()
                    .fold(Totals::default(), |sum, job| sum.and(job.size, Some(job.modified.0))))
            };
            let parts = spool.parts(&neighbour.id)?;
            let partial =
                parts.iter().fold(Totals::default(), |sum, (_, size)| sum.and(*size, None));
            let Said { contact, failure } =
                said.remove(&neighbour.id.to_string()).unwrap_or_default();
            Ok(Standing {
                name: neighbour.name.clone(),
                id: neighbour.id,
                last_contact: contact,
                rx: waiting(Xx::Rx)?,
                tx: waiting(Xx::Tx)?,
                partial,
                failure,
            })
        })
        .collect()
}

/// The spool or the log can not be read.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum StandingError {
    /// The spool.
    #[error(transparent)]
    Spool(#[from] DiskError),
    /// The log can not be opened.
    #[error("{}: {}", .path.display(), reason(.error))]
    Open {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The log is damaged.
    #[error("log: {0}")]
    Log(#[from] ReadError),
}

impl Totals {
    fn and(self, size: u64, written: Option<i64>) -> Self {
        Self {
            packets: self.packets + 1,
            bytes: self.bytes + size,
            oldest: self.oldest.into_iter().chain(written).min(),
            newest: self.newest.into_iter().chain(written).max(),
        }
    }
}

/// What the log says about each node.
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

/// Whether a session began or ended. The reference notes a beginning even for those it refused, so
/// of the beginnings only a caller's count: they have an address.
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
    use crate::log::Log;

    #[test]
    fn the_log_tells_the_last_contact_and_what_failed_since() {
        let bob = testing::neighbour("bob", 2);
        let (id, node) = (bob.id, testing::node([bob]));
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path(), Default::default(), Log::none());
        let record = |when: u32, who: &str, rest: &str| {
            format!("\nWhen: 2026-11-24T22:00:0{when}Z\n{rest}Who: {who}\nNode: {id}\nMsg: text\n")
        };
        let stands = |log: String| {
            let standings = standings(&node, &spool, Some(log.as_bytes())).unwrap();
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
