//! A node as its configuration describes it, checked once and for all.

use super::cron::Schedule;
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
    /// Where log records go.
    pub(crate) log: Target,
    /// Process umask to set, if the configuration names one.
    pub(crate) umask: Option<u32>,
    /// Progress is hidden unless asked for.
    pub(crate) noprogress: bool,
    /// `hdr/` files are neither written nor removed.
    pub(crate) nohdr: bool,
    /// Interfaces (regular expressions) to listen on for multicast announcements.
    pub(crate) mcd_listen: Vec<String>,
    /// Interfaces (regular expressions) to announce on, with the interval in seconds.
    pub(crate) mcd_send: BTreeMap<String, i64>,
    /// Mails about received packets.
    pub(crate) notify: Notify,
    /// The private keys; absent in a stripped configuration.
    pub(crate) keys: Option<PrivateKeys>,
    /// Neighbours by name, this node itself among them as `self`.
    pub(crate) neighbours: BTreeMap<String, Neighbour>,
    /// Other names of neighbours, whose sections say the same as theirs.
    pub(crate) aliases: BTreeMap<String, String>,
    /// Areas by name.
    pub(crate) areas: BTreeMap<String, Area>,
    /// Other names of areas, as of neighbours.
    pub(crate) area_aliases: BTreeMap<String, String>,
    /// packmule's own settings: the root's `packmule`, which the reference ignores. Their modules
    /// deserialise what they need; `null` when there are none.
    pub(crate) packmule: serde_json::Value,
}

/// A node we exchange packets with.
#[derive(Debug, Clone)]
pub struct Neighbour {
    /// Its name in our configuration.
    pub name: String,
    /// Its id.
    pub id: NodeId,
    /// Packets for it are encrypted to this key.
    pub(crate) exchpub: ExchangePublic,
    /// Packets from it are signed with this key.
    pub(crate) signpub: SigningPublic,
    /// Its key for online calls; absent when it can not be called.
    pub(crate) noisepub: Option<NoisePublic>,
    /// Where its files go; absent when it may not send any.
    pub(crate) incoming: Option<PathBuf>,
    /// What it may run: handle to program and fixed arguments.
    pub(crate) exec: BTreeMap<String, Vec<String>>,
    /// What it may request, and how files to it are cut.
    pub(crate) freq: Freq,
    /// How acknowledgements to it look.
    pub(crate) ack: Acks,
    /// Relays on the way to it, the hop nearest to us first.
    pub(crate) via: Vec<NodeId>,
    /// Addresses by name.
    pub(crate) addrs: BTreeMap<String, String>,
    /// Packets per second to receive at most; 0 is no limit.
    pub(crate) rxrate: u64,
    /// Packets per second to send at most; 0 is no limit.
    pub(crate) txrate: u64,
    /// Silence after which a call ends; absent when not configured.
    pub(crate) onlinedeadline: Option<Duration>,
    /// Length of a call at most.
    pub(crate) maxonlinetime: Option<Duration>,
    /// Scheduled calls, in the order of the configuration.
    pub(crate) calls: Vec<Call>,
    /// packmule's own settings for this neighbour, as [`Node::packmule`].
    pub(crate) packmule: serde_json::Value,
}

/// A neighbour's `freq` section. Sizes in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Freq {
    /// Directory it may request files from; absent when it may not.
    pub path: Option<PathBuf>,
    /// Files to it are cut in chunks of this size.
    pub chunked: Option<u64>,
    /// Packets to it are padded to this size.
    pub minsize: u64,
    /// Answers to its requests are refused above this size.
    pub maxsize: Option<u64>,
}

/// A neighbour's `ack` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acks {
    /// Acknowledgements are padded to this size, in bytes.
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
    /// Packets above this niceness stay.
    pub nice: Niceness,
    /// One direction only.
    pub xx: Option<Direction>,
    /// Packets per second; `None` is the neighbour's.
    pub rxrate: Option<u64>,
    /// Packets per second; `None` is the neighbour's.
    pub txrate: Option<u64>,
    /// The address to call; `None` is all of the neighbour's `addrs`.
    pub addr: Option<String>,
    /// Silence after which the call ends; `None` is the neighbour's.
    pub onlinedeadline: Option<Duration>,
    /// Length of the call at most; not inherited.
    pub maxonlinetime: Option<Duration>,
    /// Call only if something waits to be sent.
    pub when_tx_exists: bool,
    /// Leave received packets unverified.
    pub nock: bool,
    /// Do not use addresses learnt by multicast.
    pub mcd_ignore: bool,
    /// Toss what arrives, while it arrives.
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

/// What tossing during a call does and leaves out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Autotoss {
    /// Leave `seen` marks.
    pub doseen: bool,
    /// Kinds to leave in the queue.
    pub leave: Kinds,
    /// Acknowledge what was tossed.
    pub gen_ack: bool,
}

impl Autotoss {
    /// Every wish of both.
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
    /// Messages are encrypted to this key; absent when we only relay.
    pub(crate) public: Option<ExchangePublic>,
    /// Opens its messages; absent when we only relay.
    pub(crate) private: Option<ExchangePrivate>,
    /// Neighbours that get its messages from us, in the order of the configuration.
    pub(crate) subs: Vec<NodeId>,
    /// Where its files go.
    pub(crate) incoming: Option<PathBuf>,
    /// What its messages may run.
    pub(crate) exec: BTreeMap<String, Vec<String>>,
    /// Messages of authors we do not know are processed too.
    pub(crate) allow_unknown: bool,
}

/// The `notify` section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notify {
    /// A file arrived.
    pub file: Option<Mail>,
    /// A file request was answered.
    pub freq: Option<Mail>,
    /// A command ran: `NEIGHBOUR.HANDLE` or `*.HANDLE`.
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

/// A name on the command line is no neighbour's.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// Neither a name nor an id.
    #[error("no neighbour is called {0:?}: {1}")]
    Name(String, String),
    /// An id nobody has.
    #[error("Unknown node")]
    Unknown,
}

impl Neighbour {
    /// How log records name it.
    pub(crate) fn peer(&self) -> Peer<'_> {
        Peer { id: self.id, name: &self.name }
    }

    /// Its public keys that nothing can be done with.
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

    /// Refuses to be sent to while a key of packets is wrong: the id may then be of another node.
    ///
    /// # Errors
    /// [`BadKey`].
    pub(crate) fn check_packet_keys(&self) -> Result<(), BadKey> {
        self.bad_keys().into_iter().find(|bad| bad.key != "noisepub").map_or(Ok(()), Err)
    }

    /// Refuses to be called while its key of calls is wrong.
    ///
    /// # Errors
    /// [`BadKey`].
    pub(crate) fn check_noise_key(&self) -> Result<(), BadKey> {
        self.bad_keys().into_iter().find(|bad| bad.key == "noisepub").map_or(Ok(()), Err)
    }
}

/// A neighbour's public key that can not be one. The node works without that neighbour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("neigh.{name}.{key} {why}")]
pub struct BadKey {
    /// The neighbour.
    pub name: String,
    /// Which of its keys.
    pub key: &'static str,
    why: &'static str,
}

/// A handle in an `exec` section.
#[derive(Debug)]
pub(crate) struct Handle<'a> {
    /// Where it stands: `neigh.NAME.exec.HANDLE`.
    pub at: String,
    /// Whose packets may call it, as handlers are told: the neighbour's name, or `area:NAME`.
    pub author: String,
    /// What it runs.
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

    /// The neighbour that someone names: by its name, else by its id.
    ///
    /// # Errors
    /// When it is neither.
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

    /// The neighbours by name, this node itself among them as `self`.
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
