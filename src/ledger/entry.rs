//! A followed packet: one JSON object in `out/DEST/PKT`.

use super::members::{Members, node, packet};
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::statement::MediumId;
use serde_json::{Value, json};

/// Bytes of an entry that are read.
pub(super) const ENTRY_MAX: u64 = 64 << 10;
/// Times of handing over that are remembered of a packet, the newest.
const HANDED_MAX: usize = 16;

/// What is in a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A stream of `zfs send`.
    Zfs,
    /// A manifest of a tree.
    Tree,
    /// A command.
    Exec,
    /// A file.
    File,
    /// A request for a file.
    Freq,
    /// Another node's packet that we pass on.
    Passed,
}

const KINDS: [(Kind, &str); 6] = [
    (Kind::Zfs, "zfs"),
    (Kind::Tree, "tree"),
    (Kind::Exec, "exec"),
    (Kind::File, "file"),
    (Kind::Freq, "freq"),
    (Kind::Passed, "passed"),
];

/// How a packet left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HandedBy {
    /// Copied to a medium by `xfer` or `stick`.
    Medium,
    /// In a call.
    Call,
    /// In a bundle.
    Bundle,
    /// Nobody wrote it down: the process was killed, or another program moved it.
    Unknown,
}

const WAYS: [(HandedBy, &str); 4] = [
    (HandedBy::Medium, "medium"),
    (HandedBy::Call, "call"),
    (HandedBy::Bundle, "bundle"),
    (HandedBy::Unknown, "unknown"),
];

/// One time that a packet left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handed {
    /// When, by our clock.
    pub(crate) at: i64,
    /// How.
    pub(crate) by: HandedBy,
    /// The medium and its session, where it has a name.
    pub(crate) medium: Option<(MediumId, u64)>,
}

/// What the step of a dataset is that a packet holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// The guid of the snapshot it leads to.
    pub(crate) guid: u64,
    /// The guid that it needs; `None` for a full stream.
    pub(crate) from: Option<u64>,
}

/// What was said of a packet last, other than that it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// Who said it.
    pub(crate) by: NodeId,
    /// When we read it, by our clock.
    pub(crate) at: i64,
    /// Whether it will not be tried again by itself.
    pub(crate) failed: bool,
    /// Why it is not done.
    pub(crate) reason: String,
}

/// What is known of a packet before it is made, for whoever follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Follow {
    /// What is in it.
    pub(crate) kind: Kind,
    /// The backup that it belongs to.
    pub(crate) backup: String,
    /// When its data were read, at the earliest: in seconds since 1970.
    pub(crate) data: i64,
    /// When it is queued.
    pub(crate) queued: i64,
}

impl Follow {
    /// A packet whose data are read from `now` on.
    pub(crate) fn new(kind: Kind, backup: impl Into<String>, now: i64) -> Self {
        Self { kind, backup: backup.into(), data: now, queued: now }
    }
}

/// A followed packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its names: at the hop that gets it from us first, at its destination last. Never empty.
    pub(crate) stations: Vec<(NodeId, PacketHash)>,
    /// Bytes, as it leaves us.
    pub(crate) size: u64,
    /// Its niceness.
    pub(crate) nice: u8,
    /// When it was queued, by our clock.
    pub(crate) queued: i64,
    /// When its data were read: a snapshot's creation, or the time before the first byte.
    pub(crate) data: i64,
    /// What is in it.
    pub(crate) kind: Kind,
    /// The backup that it belongs to.
    pub(crate) backup: String,
    /// Of [`Kind::Zfs`], which step.
    pub(crate) step: Option<Step>,
    /// When it left, the last time last.
    pub(crate) handed: Vec<Handed>,
    /// The stations that had it whole, and when we read that.
    pub(crate) got: Vec<(NodeId, i64)>,
    /// What was said of it last.
    pub(crate) last: Option<Word>,
    /// Whether the bytes were dropped to make room.
    pub(crate) dropped: bool,
    /// Where its line is in the file of its backup: a hint.
    pub(super) line: u64,
}

impl Entry {
    /// A packet that has not left yet. `stations` is not empty.
    pub(crate) fn new(
        stations: Vec<(NodeId, PacketHash)>,
        size: u64,
        nice: Niceness,
        follow: Follow,
    ) -> Self {
        let Follow { kind, backup, data, queued } = follow;
        Self {
            stations,
            size,
            nice: nice.get(),
            queued,
            data,
            kind,
            backup,
            step: None,
            handed: Vec::new(),
            got: Vec::new(),
            last: None,
            dropped: false,
            line: 0,
        }
    }

    /// The node it is for.
    pub(crate) fn to(&self) -> NodeId {
        self.last_station().0
    }

    /// Its name at its destination.
    pub(crate) fn id(&self) -> PacketHash {
        self.last_station().1
    }

    /// The neighbour that gets it from us, and its name there.
    pub(crate) fn hop(&self) -> (NodeId, PacketHash) {
        self.stations[0]
    }

    fn last_station(&self) -> (NodeId, PacketHash) {
        self.stations[self.stations.len() - 1]
    }

    /// Which station a node is that knows it under this name.
    pub(crate) fn station(&self, node: &NodeId, name: &PacketHash) -> Option<usize> {
        self.stations.iter().position(|station| station == &(*node, *name))
    }

    /// Whether `node`, or a station behind it, had it.
    pub(crate) fn reached(&self, node: &NodeId) -> bool {
        let from = self.stations.iter().position(|(station, _)| station == node);
        let behind = |from: usize| &self.stations[from..];
        from.is_some_and(|from| {
            behind(from).iter().any(|(station, _)| self.got.iter().any(|(got, _)| got == station))
        })
    }

    /// The last time that it left.
    pub(crate) fn last_handed(&self) -> Option<&Handed> {
        self.handed.last()
    }

    /// When anything was last known of it; it was queued at least.
    pub(crate) fn last_word(&self) -> i64 {
        let handed = self.handed.iter().map(|handed| handed.at);
        let got = self.got.iter().map(|(_, at)| *at);
        let said = self.last.iter().map(|word| word.at);
        handed.chain(got).chain(said).fold(self.queued, i64::max)
    }

    pub(super) fn note_handed(&mut self, handed: Handed) {
        if self.handed.len() >= HANDED_MAX {
            self.handed.remove(0);
        }
        self.handed.push(handed);
    }

    pub(super) fn note_got(&mut self, node: NodeId, at: i64) {
        match self.got.iter_mut().find(|(station, _)| *station == node) {
            Some(known) => known.1 = at,
            None => self.got.push((node, at)),
        }
    }

    /// Reads an entry; `None` if it is none.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let members = Members::of(&value)?;
        let stations =
            members.list("stations", |pair| Some((node(pair.get(0)?)?, packet(pair.get(1)?)?)));
        if stations.is_empty() {
            return None;
        }
        Some(Self {
            stations,
            size: members.number("size")?,
            nice: u8::try_from(members.number("nice")?).ok()?,
            queued: members.time("queued")?,
            data: members.time("data")?,
            kind: word(&KINDS, members.text("kind")?)?,
            backup: members.text("backup")?.to_owned(),
            step: members.get("step").and_then(step),
            handed: members.list("handed", handed),
            got: members.list("got", |pair| Some((node(pair.get(0)?)?, pair.get(1)?.as_i64()?))),
            last: members.get("last").and_then(said),
            dropped: members.flag("dropped"),
            line: members.number("line").unwrap_or_default(),
        })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let pair =
            |(node, packet): &(NodeId, PacketHash)| json!([node.to_string(), packet.to_string()]);
        let mut object = json!({
            "stations": self.stations.iter().map(pair).collect::<Vec<_>>(),
            "size": self.size,
            "nice": self.nice,
            "queued": self.queued,
            "data": self.data,
            "kind": text(&KINDS, self.kind),
            "backup": self.backup,
            "line": self.line,
        });
        if let Some(Step { guid, from }) = self.step {
            object["step"] =
                json!({"guid": guid.to_string(), "from": from.map(|guid| guid.to_string())});
        }
        if !self.handed.is_empty() {
            object["handed"] = self.handed.iter().map(handed_object).collect();
        }
        if !self.got.is_empty() {
            let pair = |(node, at): &(NodeId, i64)| json!([node.to_string(), at]);
            object["got"] = self.got.iter().map(pair).collect();
        }
        if let Some(Word { by, at, failed, reason }) = &self.last {
            object["last"] =
                json!({"by": by.to_string(), "at": at, "failed": failed, "reason": reason});
        }
        if self.dropped {
            object["dropped"] = json!(true);
        }
        format!("{object}\n").into_bytes()
    }
}

fn word<T: Copy>(words: &[(T, &str)], wanted: &str) -> Option<T> {
    words.iter().find(|(_, word)| *word == wanted).map(|(value, _)| *value)
}

fn text<T: Copy + PartialEq>(words: &[(T, &'static str)], wanted: T) -> &'static str {
    words.iter().find(|(value, _)| *value == wanted).map_or("", |(_, word)| word)
}

fn step(value: &Value) -> Option<Step> {
    let members = Members::of(value)?;
    let from = match members.get("from")? {
        Value::Null => None,
        _ => Some(members.parsed("from")?),
    };
    Some(Step { guid: members.parsed("guid")?, from })
}

fn handed(value: &Value) -> Option<Handed> {
    let members = Members::of(value)?;
    let medium = members.parsed("medium").zip(members.number("session"));
    Some(Handed { at: members.time("at")?, by: word(&WAYS, members.text("by")?)?, medium })
}

fn handed_object(handed: &Handed) -> Value {
    let mut object = json!({"at": handed.at, "by": text(&WAYS, handed.by)});
    if let Some((medium, session)) = handed.medium {
        object["medium"] = json!(medium.to_string());
        object["session"] = json!(session);
    }
    object
}

fn said(value: &Value) -> Option<Word> {
    let members = Members::of(value)?;
    Some(Word {
        by: node(members.get("by")?)?,
        at: members.time("at")?,
        failed: members.flag("failed"),
        reason: members.text("reason")?.to_owned(),
    })
}

#[cfg(test)]
pub(super) mod tests;
