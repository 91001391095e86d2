//! A node, built from its configuration. All values are already checked.

use super::cron::Schedule;
use super::proof::Proof;
use crate::log::Target;
use crate::log::event::Peer;
use crate::nearest::nearest;
use packmule_protocol::id::{AreaId, NodeId, ParseIdError};
use packmule_protocol::keys::{
    ExchangePrivate, ExchangePublic, NoisePublic, PrivateKeys, SigningPublic,
};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::Kinds;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// This node, its neighbours and its areas.
#[derive(Debug, Clone)]
pub struct Node {
    /// The spool directory.
    pub(crate) spool: PathBuf,
    /// The target of log records.
    pub(crate) log: Target,
    /// The umask to set for the process, if configured.
    pub(crate) umask: Option<u32>,
    /// Hide progress unless `-progress` is given.
    pub(crate) noprogress: bool,
    /// Neither write nor remove `hdr/` files.
    pub(crate) nohdr: bool,
    /// Interfaces (regular expressions) to listen on for multicast announcements.
    pub(crate) mcd_listen: Vec<String>,
    /// Interfaces (regular expressions) to announce on, with the interval in seconds.
    pub(crate) mcd_send: BTreeMap<String, i64>,
    /// Mails about received packets.
    pub(crate) notify: Notify,
    /// The private keys; `None` in a stripped configuration.
    pub(crate) keys: Option<PrivateKeys>,
    /// Neighbours by name. This node is one of them, as `self`.
    pub(crate) neighbours: BTreeMap<String, Neighbour>,
    /// Aliases of neighbours: names whose sections are equal to theirs.
    pub(crate) aliases: BTreeMap<String, String>,
    /// Areas by name.
    pub(crate) areas: BTreeMap<String, Area>,
    /// Aliases of areas, like those of neighbours.
    pub(crate) area_aliases: BTreeMap<String, String>,
    /// packmule's own settings: the root's `packmule`, which the reference ignores. Each module
    /// deserialises the keys it needs. `null` if there are none.
    pub(crate) packmule: serde_json::Value,
}

/// A node with which we exchange packets.
#[derive(Debug, Clone)]
pub struct Neighbour {
    /// Its name in our configuration.
    pub name: String,
    /// Its id.
    pub id: NodeId,
    /// The key to which packets for it are encrypted.
    pub(crate) exchpub: ExchangePublic,
    /// The key that verifies signatures of packets from it.
    pub(crate) signpub: SigningPublic,
    /// Its key for online calls; `None` if it cannot be called.
    pub(crate) noisepub: Option<NoisePublic>,
    /// The directory for files from it; `None` if it may not send files.
    pub(crate) incoming: Option<PathBuf>,
    /// The handles it may call: each with its program and fixed arguments.
    pub(crate) exec: BTreeMap<String, Vec<String>>,
    /// Which files it may request, and chunk sizes of files sent to it.
    pub(crate) freq: Freq,
    /// Size and niceness of acknowledgements to it.
    pub(crate) ack: Acks,
    /// Relays on the route to it, the nearest to us first.
    pub(crate) via: Vec<NodeId>,
    /// Addresses by name.
    pub(crate) addrs: BTreeMap<String, String>,
    /// Limit of packets per second to receive; 0: no limit.
    pub(crate) rxrate: u64,
    /// Limit of packets per second to send; 0: no limit.
    pub(crate) txrate: u64,
    /// Silence after which a call ends; `None` if not configured.
    pub(crate) onlinedeadline: Option<Duration>,
    /// Maximal length of a call.
    pub(crate) maxonlinetime: Option<Duration>,
    /// Scheduled calls, in the order of the configuration.
    pub(crate) calls: Vec<Call>,
    /// Whether it is asked for proof of what it gets.
    pub(crate) proof: Proof,
    /// packmule's own settings for this neighbour; see [`Node::packmule`].
    pub(crate) packmule: serde_json::Value,
}

/// A neighbour's `freq` section. Sizes in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Freq {
    /// The directory from which it may request files; `None` if it may not.
    pub path: Option<PathBuf>,
    /// The chunk size of files sent to it; `None`: not chunked.
    pub chunked: Option<u64>,
    /// The size to which packets for it are padded.
    pub minsize: u64,
    /// The maximal size of answers to its requests. Larger ones are rejected.
    pub maxsize: Option<u64>,
}

/// A neighbour's `ack` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acks {
    /// The size to which acknowledgements are padded, in bytes.
    pub minsize: u64,
    /// Niceness of generated acknowledgements.
    pub nice: Niceness,
}

impl Default for Acks {
    fn default() -> Self {
        Self { minsize: 0, nice: Niceness::MAX }
    }
}

/// A scheduled call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The schedule.
    pub cron: Schedule,
    /// The call skips packets above this niceness.
    pub nice: Niceness,
    /// The only direction; `None`: both.
    pub xx: Option<Direction>,
    /// Limit of packets per second to receive; `None`: the neighbour's.
    pub rxrate: Option<u64>,
    /// Limit of packets per second to send; `None`: the neighbour's.
    pub txrate: Option<u64>,
    /// The address to call; `None`: all of the neighbour's `addrs`.
    pub addr: Option<String>,
    /// Silence after which the call ends; `None`: the neighbour's.
    pub onlinedeadline: Option<Duration>,
    /// Maximal length of the call. The neighbour's value does not apply.
    pub maxonlinetime: Option<Duration>,
    /// Call only if a packet is queued for the neighbour.
    pub when_tx_exists: bool,
    /// Do not verify received packets.
    pub nock: bool,
    /// Do not use addresses learnt by multicast.
    pub mcd_ignore: bool,
    /// Toss packets during the call, as they arrive.
    pub autotoss: Option<Autotoss>,
}

/// The `xx` of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Receive only.
    Rx,
    /// Send only.
    Tx,
}

/// Settings for tossing during a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Autotoss {
    /// Leave `seen` marks.
    pub doseen: bool,
    /// Kinds of packets to skip.
    pub leave: Kinds,
    /// Acknowledge each packet once it has been processed.
    pub gen_ack: bool,
}

impl Autotoss {
    /// Combines two settings: each switch is on if it is on in one of them.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            doseen: self.doseen || other.doseen,
            leave: self.leave.union(other.leave),
            gen_ack: self.gen_ack || other.gen_ack,
        }
    }
}

/// A multicast area.
#[derive(Debug, Clone)]
pub struct Area {
    /// Its name in our configuration.
    pub name: String,
    /// Its id.
    pub id: AreaId,
    /// The key to which messages are encrypted; `None` if we only relay.
    pub(crate) public: Option<ExchangePublic>,
    /// The key that decrypts messages; `None` if we only relay.
    pub(crate) private: Option<ExchangePrivate>,
    /// Neighbours to which we relay its messages, in the order of the configuration.
    pub(crate) subs: Vec<NodeId>,
    /// The directory for its files.
    pub(crate) incoming: Option<PathBuf>,
    /// The handles its messages may call.
    pub(crate) exec: BTreeMap<String, Vec<String>>,
    /// Process messages of unknown authors too.
    pub(crate) allow_unknown: bool,
}

/// The `notify` section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notify {
    /// Mail when a file has arrived.
    pub file: Option<Mail>,
    /// Mail when a file request has been answered.
    pub freq: Option<Mail>,
    /// Mail when a command has run, by `NEIGHBOUR.HANDLE` or `*.HANDLE`.
    pub exec: BTreeMap<String, Mail>,
}

/// Addresses of a notification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mail {
    /// Sender address.
    pub from: String,
    /// Recipient address.
    pub to: String,
}

/// No neighbour has this name or id.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// Not a neighbour's name. Also holds similar names.
    #[error("no neighbour is called {0:?}: {1}")]
    Name(String, String),
    /// An id that no neighbour has.
    #[error("Unknown node")]
    Unknown,
}

impl Neighbour {
    /// Its name and id for log records.
    pub(crate) fn peer(&self) -> Peer<'_> {
        Peer { id: self.id, name: &self.name }
    }

    /// Its public keys that cannot be used.
    pub(crate) fn bad_keys(&self) -> Vec<BadKey> {
        let weak = "is of low order and protects nothing";
        let keys = [
            ("exchpub", self.exchpub.is_weak(), weak),
            ("signpub", self.signpub.is_unusable(), "is no Ed25519 public key"),
            ("noisepub", self.noisepub.is_some_and(|key| key.is_weak()), weak),
        ];
        let bad = keys.into_iter().filter(|(_, bad, _)| *bad);
        bad.map(|(key, _, why)| BadKey { name: self.name.clone(), key, why }).collect()
    }

    /// Checks its keys for packets. If one is wrong, nothing may be sent: the id may belong to another
    /// node.
    ///
    /// # Errors
    /// [`BadKey`].
    pub(crate) fn check_packet_keys(&self) -> Result<(), BadKey> {
        self.bad_keys().into_iter().find(|bad| bad.key != "noisepub").map_or(Ok(()), Err)
    }

    /// Checks its key for calls.
    ///
    /// # Errors
    /// [`BadKey`].
    pub(crate) fn check_noise_key(&self) -> Result<(), BadKey> {
        self.bad_keys().into_iter().find(|bad| bad.key == "noisepub").map_or(Ok(()), Err)
    }
}

/// A neighbour's unusable public key. The node works without that neighbour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("neigh.{name}.{key} {why}")]
pub struct BadKey {
    /// The neighbour.
    pub name: String,
    /// The name of the key.
    pub key: &'static str,
    why: &'static str,
}

/// A handle in an `exec` section.
#[derive(Debug)]
pub(crate) struct Handle<'a> {
    /// The path of its key: `neigh.NAME.exec.HANDLE`.
    pub at: String,
    /// Whose packets may call it: the neighbour's name, or `area:NAME`.
    pub author: String,
    /// The program and its arguments.
    pub words: &'a [String],
}

impl Node {
    /// The handles of all `exec` sections.
    pub(crate) fn handles(&self) -> impl Iterator<Item = Handle<'_>> {
        let neighbours = self.neighbours.values().map(|neighbour| {
            let Neighbour { name, exec, .. } = neighbour;
            (format!("neigh.{name}"), name.clone(), exec)
        });
        let areas = self.areas.values().map(|area| {
            let Area { name, exec, .. } = area;
            (format!("areas.{name}"), format!("area:{name}"), exec)
        });
        neighbours.chain(areas).flat_map(|(at, author, exec)| {
            exec.iter().map(move |(handle, words)| Handle {
                at: format!("{at}.exec.{handle}"),
                author: author.clone(),
                words,
            })
        })
    }

    /// The neighbour with this id.
    pub(crate) fn by_id(&self, id: &NodeId) -> Option<&Neighbour> {
        self.neighbours.values().find(|neighbour| neighbour.id == *id)
    }

    /// The neighbour with this name, or else with this id.
    ///
    /// # Errors
    /// No neighbour has this name or id.
    pub fn find(&self, text: &str) -> Result<&Neighbour, FindError> {
        let name = self.aliases.get(text).map_or(text, String::as_str);
        if let Some(neighbour) = self.neighbours.get(name) {
            return Ok(neighbour);
        }
        let id = text.parse().map_err(|_: ParseIdError| {
            let names = self.neighbours.keys().chain(self.aliases.keys());
            FindError::Name(text.to_owned(), nearest(text, names.map(String::as_str)))
        })?;
        self.by_id(&id).ok_or(FindError::Unknown)
    }

    /// All neighbours in order of name, including this node as `self`.
    pub fn neighbours(&self) -> impl Iterator<Item = &Neighbour> {
        self.neighbours.values()
    }

    /// The neighbour called `self`: our own id and public keys.
    pub fn self_neighbour(&self) -> &Neighbour {
        &self.neighbours["self"]
    }

    /// The area with this name.
    pub fn area(&self, name: &str) -> Option<&Area> {
        self.areas.get(self.area_aliases.get(name).map_or(name, String::as_str))
    }

    /// The area with this id.
    pub(crate) fn area_by_id(&self, id: &AreaId) -> Option<&Area> {
        self.areas.values().find(|area| area.id == *id)
    }
}
