//! What we said to a partner last.

use super::identity::read_small;
use super::members::{Members, node, packet};
use super::store::{Ledger, Result};
use packmule_protocol::id::{NodeId, PacketHash};
use serde_json::{Value, json};

/// Bytes that are read.
const MOST: u64 = 64 << 10;

/// The last statements to a partner: those that were made together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Spoken {
    /// When, by our clock.
    pub(crate) at: i64,
    /// A digest of what they said.
    pub(crate) digest: String,
    /// The packets they are in, by their first hop.
    pub(crate) packets: Vec<(NodeId, PacketHash)>,
}

impl Spoken {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let members = Members::of(&value)?;
        Some(Self {
            at: members.time("at")?,
            digest: members.text("digest")?.to_owned(),
            packets: members
                .list("packets", |pair| Some((node(pair.get(0)?)?, packet(pair.get(1)?)?))),
        })
    }
}

impl Ledger {
    /// What was said to `to` last, if anything was.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn spoken(&self, to: &NodeId) -> Result<Option<Spoken>> {
        let bytes = read_small(&self.layout.spoken(to), MOST)?;
        Ok(bytes.and_then(|bytes| Spoken::parse(&bytes)))
    }

    /// Writes down what was said to `to`.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn note_spoken(&self, to: &NodeId, spoken: &Spoken) -> Result<()> {
        let Spoken { at, digest, packets } = spoken;
        let pair =
            |(hop, packet): &(NodeId, PacketHash)| json!([hop.to_string(), packet.to_string()]);
        let packets: Vec<_> = packets.iter().map(pair).collect();
        let object = json!({"at": at, "digest": digest, "packets": packets});
        Ok(self.spool.replace(&self.layout.spoken(to), format!("{object}\n").as_bytes())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::testing::{NODE, TestSpool};

    #[test]
    fn what_was_said_is_remembered() {
        let test = TestSpool::new();
        let ledger = Ledger::new(&test.spool);
        assert_eq!(ledger.spoken(&NODE).unwrap(), None);
        let packets = vec![(NODE, PacketHash([1; 32])), (NODE, PacketHash([2; 32]))];
        let spoken = Spoken { at: 7, digest: "d".to_owned(), packets };
        ledger.note_spoken(&NODE, &spoken).unwrap();
        assert_eq!(ledger.spoken(&NODE).unwrap(), Some(spoken));
        std::fs::write(ledger.layout.spoken(&NODE), "{").unwrap();
        assert_eq!(ledger.spoken(&NODE).unwrap(), None);
    }
}
