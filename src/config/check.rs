//! From canonical values to a checked [`Node`].

use super::cron::Schedule;
use super::error::{ConfigError, Fault};
use super::node::{Acks, Area, Autotoss, Call, Direction, Freq, Mail, Neighbour, Node, Notify};
use super::schema::{is_secret, join};
use super::twins;
use super::warning::Warning;
use crate::disk::is_file_name;
use crate::log::Target;
use packmule_protocol::id::{AreaId, NodeId, ParseIdError};
use packmule_protocol::keys::{ExchangePublic, ParseKeyError, PrivateKeys, SigningPublic};
use packmule_protocol::niceness::Niceness;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::PathBuf, str::FromStr, time::Duration};

/// Checks what the schema can not: paths, keys, references. Everything odd that does not keep the
/// node from working is pushed to `warnings`.
///
/// # Errors
/// The first fault, in the reference's order: own keys, paths, neighbours, their relays, areas.
pub(super) fn node(root: &Value, warnings: &mut Vec<Warning>) -> Result<Node, ConfigError> {
    let root = At { path: String::new(), map: root.as_object() };
    let neigh = root.under("neigh");
    if !neigh.has("self") {
        return Err(ConfigError::SelfMissing);
    }
    let own = root.under("self");
    let keys = root.has("self").then(|| private_keys(&own, warnings)).transpose()?;
    let spool = root.absolute("spool", "Spool")?;
    let log = Target::File(root.absolute("log", "Log")?);
    let umask = root.checked("umask", octal)?;
    let ids = neighbour_ids(&neigh)?;
    let aliases = twins::aliases("neigh", neigh.map, &ids, warnings)?;
    let mut neighbours = BTreeMap::new();
    for (name, at) in neigh.members() {
        // The spool has a link of that name, and a dump of the configuration a directory.
        if !is_file_name(name) {
            return Err(ConfigError::Name(format!("neigh.{name}")));
        }
        if !aliases.contains_key(name) {
            neighbours.insert(name.clone(), neighbour(name, &at, warnings)?);
        }
    }
    warnings.extend(neighbours.values().flat_map(Neighbour::bad_keys).map(Warning::BadKey));
    for (name, at) in neigh.members() {
        let via = at.nodes("via", &ids)?;
        neighbours.entry(name.clone()).and_modify(|neighbour| neighbour.via = via);
    }
    if keys.is_some() {
        one_self(own.node_id()?, &own, &neighbours["self"], warnings)?;
    }
    let (areas, area_aliases) = areas(&root.under("areas"), &ids, warnings)?;
    Ok(Node {
        spool,
        log,
        umask,
        noprogress: root.flag("noprogress"),
        nohdr: root.flag("nohdr"),
        mcd_listen: root.texts("mcd-listen"),
        mcd_send: root.under("mcd-send").values(Value::as_i64),
        notify: notify(&root.under("notify")),
        keys,
        neighbours,
        aliases,
        areas,
        area_aliases,
        packmule: root.get("packmule").cloned().unwrap_or_default(),
    })
}

/// An object and where it stands. What the schema says is there has the type the schema says.
struct At<'a> {
    path: String,
    map: Option<&'a Map<String, Value>>,
}

impl<'a> At<'a> {
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.map?.get(key)
    }

    fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn under(&self, key: &str) -> At<'a> {
        At { path: join(&self.path, key), map: self.get(key).and_then(Value::as_object) }
    }

    fn members(&self) -> impl Iterator<Item = (&'a String, At<'a>)> {
        self.map.into_iter().flatten().map(|(name, value)| {
            (name, At { path: join(&self.path, name), map: value.as_object() })
        })
    }

    /// The members that `pick` takes, by name.
    fn values<T>(&self, pick: impl Fn(&'a Value) -> Option<T>) -> BTreeMap<String, T> {
        let members = self.map.into_iter().flatten();
        members.filter_map(|(name, value)| Some((name.clone(), pick(value)?))).collect()
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_str()
    }

    fn flag(&self, key: &str) -> bool {
        self.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    fn unsigned(&self, key: &str) -> Option<u64> {
        self.get(key)?.as_u64()
    }

    fn texts(&self, key: &str) -> Vec<String> {
        self.get(key).map(text_list).unwrap_or_default()
    }

    /// The fault of `key`, told with its value.
    fn fault(&self, key: &str, fault: Fault) -> ConfigError {
        let value = match self.get(key) {
            None => "missing".to_owned(),
            Some(_) if is_secret(key) => "not shown".to_owned(),
            Some(value) => value.to_string(),
        };
        ConfigError::Value { key: join(&self.path, key), value, fault }
    }

    /// The text under `key`, if any, as `check` reads it.
    fn checked<T>(
        &self,
        key: &str,
        check: impl Fn(&str) -> Result<T, Fault>,
    ) -> Result<Option<T>, ConfigError> {
        let checked = self.text(key).map(check).transpose();
        checked.map_err(|fault| self.fault(key, fault))
    }

    /// An absolute path that must be there.
    fn absolute(&self, key: &str, what: &'static str) -> Result<PathBuf, ConfigError> {
        absolute(self.text(key).unwrap_or_default(), what).map_err(|fault| self.fault(key, fault))
    }

    /// A node's id that must be there; a missing one reads as an empty one.
    fn node_id(&self) -> Result<NodeId, ConfigError> {
        let text = self.text("id").unwrap_or_default();
        node_id(text).map_err(|fault| self.fault("id", fault))
    }

    /// A key that must be there; `what` is its name in the reference's messages.
    fn key<T: FromStr<Err = ParseKeyError>>(
        &self,
        key: &str,
        what: &'static str,
    ) -> Result<T, ConfigError> {
        let text = self.text(key).unwrap_or_default();
        text.parse().map_err(|error| self.fault(key, Fault::key(what, error)))
    }

    /// A key that need not be there.
    fn optional_key<T: FromStr<Err = ParseKeyError>>(
        &self,
        key: &str,
        what: &'static str,
    ) -> Result<Option<T>, ConfigError> {
        self.has(key).then(|| self.key(key, what)).transpose()
    }

    /// A list of neighbours, by name or id.
    fn nodes(
        &self,
        key: &str,
        ids: &BTreeMap<&String, NodeId>,
    ) -> Result<Vec<NodeId>, ConfigError> {
        let find = |text: String| match ids.get(&text) {
            Some(id) => Ok(*id),
            None => node_id(&text).and_then(|id| {
                ids.values().find(|known| **known == id).copied().ok_or(Fault::UnknownNode)
            }),
        };
        let nodes = self.texts(key).into_iter().map(find).collect::<Result<_, _>>();
        nodes.map_err(|fault| self.fault(key, fault))
    }

    /// A size in KiB, as bytes.
    fn kib(&self, key: &str) -> Result<Option<u64>, ConfigError> {
        let bytes = |kib: u64| kib.checked_mul(1024).filter(|bytes| i64::try_from(*bytes).is_ok());
        self.unsigned(key)
            .map(|kib| bytes(kib).ok_or_else(|| self.fault(key, Fault::TooBig)))
            .transpose()
    }

    /// Silence after which a call ends.
    fn deadline(&self) -> Result<Option<Duration>, ConfigError> {
        match self.unsigned("onlinedeadline") {
            Some(0) => Err(self.fault("onlinedeadline", Fault::ZeroDeadline)),
            seconds => Ok(seconds.map(Duration::from_secs)),
        }
    }

    /// Length of a call at most; nothing is no limit.
    fn max_online(&self) -> Option<Duration> {
        self.unsigned("maxonlinetime").filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }

    /// Packets per second; `None` is not said, and 0 no limit.
    fn rate(&self, key: &str) -> Option<u64> {
        Some(u64::try_from(self.get(key)?.as_i64()?).unwrap_or(0))
    }
}

fn text_list(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn node_id(text: &str) -> Result<NodeId, Fault> {
    text.parse().map_err(|error| match error {
        ParseIdError::Base32(error) => Fault::Node { text: text.to_owned(), error },
        ParseIdError::Size(_) => Fault::Size("node id"),
    })
}

fn absolute(text: &str, what: &'static str) -> Result<PathBuf, Fault> {
    match text.starts_with('/') {
        true => Ok(clean(text)),
        false => Err(Fault::Relative(what)),
    }
}

/// An absolute path without `.`, `..` and doubled slashes, without looking at the disk.
fn clean(path: &str) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(clean.pop()),
            name => clean.push(name),
        }
    }
    clean
}

fn octal(text: &str) -> Result<u32, Fault> {
    let fault = |why| Err(Fault::Octal(text.to_owned(), why));
    if text.is_empty() || !text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return fault("invalid syntax");
    }
    match u16::from_str_radix(text, 8) {
        Ok(mask) => Ok(mask.into()),
        Err(_) => fault("value out of range"),
    }
}

/// The private keys of the root's `self`, each against its public half.
fn private_keys(own: &At<'_>, warnings: &mut Vec<Warning>) -> Result<PrivateKeys, ConfigError> {
    own.node_id()?;
    let exchpub: ExchangePublic = own.key("exchpub", "exchPub")?;
    let exchange = own.key("exchprv", "exchPrv")?;
    let signpub: SigningPublic = own.key("signpub", "signPub")?;
    let signing = own.key("signprv", "signPrv")?;
    let noisepub = own.key("noisepub", "noisePub")?;
    let noise = own.key("noiseprv", "noisePrv")?;
    let keys = PrivateKeys { exchange, signing, noise };
    let pairs = [
        ("exch", keys.exchange.public() == exchpub),
        ("sign", keys.signing.public() == signpub),
        ("noise", keys.noise.public() == noisepub),
    ];
    warnings
        .extend(pairs.into_iter().filter(|(_, fit)| !fit).map(|(pair, _)| Warning::Halves(pair)));
    Ok(keys)
}

/// The root's `self` against the neighbour of that name.
fn one_self(
    id: NodeId,
    own: &At<'_>,
    neighbour: &Neighbour,
    warnings: &mut Vec<Warning>,
) -> Result<(), ConfigError> {
    if neighbour.id != id {
        return Err(ConfigError::TwoSelves(id.to_string(), neighbour.id.to_string()));
    }
    let noisepub = own.key("noisepub", "noisePub")?;
    let keys = [
        ("exchpub", own.key::<ExchangePublic>("exchpub", "exchPub")? == neighbour.exchpub),
        ("signpub", own.key::<SigningPublic>("signpub", "signPub")? == neighbour.signpub),
        ("noisepub", neighbour.noisepub.is_none_or(|other| other == noisepub)),
    ];
    warnings
        .extend(keys.into_iter().filter(|(_, same)| !same).map(|(key, _)| Warning::TwoSelves(key)));
    Ok(())
}

fn neighbour_ids<'a>(neigh: &At<'a>) -> Result<BTreeMap<&'a String, NodeId>, ConfigError> {
    let mut ids: BTreeMap<&String, NodeId> = BTreeMap::new();
    for (name, at) in neigh.members() {
        let id = at.node_id()?;
        ids.insert(name, id);
    }
    Ok(ids)
}

/// A neighbour, its relays left for later.
fn neighbour(
    name: &str,
    at: &At<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Neighbour, ConfigError> {
    let id = at.node_id()?;
    let exchpub = at.key("exchpub", "exchPub")?;
    let signpub: SigningPublic = at.key("signpub", "signPub")?;
    if signpub.node_id() != id && !signpub.is_unusable() {
        warnings.push(Warning::NodeId { name: name.to_owned(), of_key: signpub.node_id() });
    }
    let addrs = at.under("addrs").values(|value| value.as_str().map(str::to_owned));
    let calls = match at.get("calls").and_then(Value::as_array) {
        Some(list) => list
            .iter()
            .enumerate()
            .map(|(n, value)| {
                let path = format!("{}[{n}]", join(&at.path, "calls"));
                call(&At { path, map: value.as_object() }, &addrs)
            })
            .collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    Ok(Neighbour {
        name: name.to_owned(),
        id,
        exchpub,
        signpub,
        noisepub: at.optional_key("noisepub", "noisePub")?,
        incoming: at.checked("incoming", |text| absolute(text, "Incoming"))?,
        exec: at.under("exec").values(|value| Some(text_list(value))),
        freq: freq(&at.under("freq"))?,
        ack: acks(&at.under("ack"))?,
        via: Vec::new(),
        addrs,
        rxrate: at.rate("rxrate").unwrap_or(0),
        txrate: at.rate("txrate").unwrap_or(0),
        onlinedeadline: at.deadline()?,
        maxonlinetime: at.max_online(),
        calls,
        packmule: at.get("packmule").cloned().unwrap_or_default(),
    })
}

fn freq(at: &At<'_>) -> Result<Freq, ConfigError> {
    let chunked = at.kib("chunked")?;
    if chunked == Some(0) {
        return Err(at.fault("chunked", Fault::ZeroChunk));
    }
    Ok(Freq {
        path: at.checked("path", |text| absolute(text, "freq.path"))?,
        chunked,
        minsize: at.kib("minsize")?.unwrap_or(0),
        maxsize: at.kib("maxsize")?,
    })
}

fn acks(at: &At<'_>) -> Result<Acks, ConfigError> {
    Ok(Acks {
        minsize: at.kib("minsize")?.unwrap_or(0),
        nice: at.checked("nice", niceness)?.unwrap_or(Niceness::MAX),
    })
}

fn niceness(text: &str) -> Result<Niceness, Fault> {
    text.parse().map_err(Fault::Niceness)
}

fn call(at: &At<'_>, addrs: &BTreeMap<String, String>) -> Result<Call, ConfigError> {
    let cron: Schedule = at
        .text("cron")
        .unwrap_or_default()
        .parse()
        .map_err(|error| at.fault("cron", Fault::Cron(error)))?;
    let direction = |text: &str| match text {
        "rx" => Ok(Direction::Rx),
        "tx" => Ok(Direction::Tx),
        _ => Err(Fault::Direction),
    };
    let autotoss = Autotoss {
        doseen: at.flag("autotoss-doseen"),
        nofile: at.flag("autotoss-nofile"),
        nofreq: at.flag("autotoss-nofreq"),
        noexec: at.flag("autotoss-noexec"),
        notrns: at.flag("autotoss-notrns"),
        noarea: at.flag("autotoss-noarea"),
        noack: at.flag("autotoss-noack"),
        gen_ack: at.flag("autotoss-gen-ack"),
    };
    Ok(Call {
        cron,
        nice: at.checked("nice", niceness)?.unwrap_or(Niceness::MAX),
        xx: at.checked("xx", direction)?,
        rxrate: at.rate("rxrate"),
        txrate: at.rate("txrate"),
        addr: at.text("addr").map(|addr| addrs.get(addr).map_or(addr, String::as_str).to_owned()),
        onlinedeadline: at.deadline()?,
        maxonlinetime: at.max_online(),
        when_tx_exists: at.flag("when-tx-exists"),
        nock: at.flag("nock"),
        mcd_ignore: at.flag("mcd-ignore"),
        autotoss: at.flag("autotoss").then_some(autotoss),
    })
}

/// The areas by name, and the other names of those that are there twice.
type Areas = (BTreeMap<String, Area>, BTreeMap<String, String>);

fn areas(
    areas: &At<'_>,
    ids: &BTreeMap<&String, NodeId>,
    warnings: &mut Vec<Warning>,
) -> Result<Areas, ConfigError> {
    let mut out: BTreeMap<String, Area> = BTreeMap::new();
    for (name, at) in areas.members() {
        out.insert(name.clone(), area(name, &at, ids, warnings)?);
    }
    let ids = out.values().map(|area| (&area.name, area.id)).collect();
    let aliases = twins::aliases("areas", areas.map, &ids, warnings)?;
    out.retain(|name, _| !aliases.contains_key(name));
    Ok((out, aliases))
}

fn area(
    name: &str,
    at: &At<'_>,
    ids: &BTreeMap<&String, NodeId>,
    warnings: &mut Vec<Warning>,
) -> Result<Area, ConfigError> {
    let id: AreaId = at.text("id").unwrap_or_default().parse().map_err(|error| {
        let fault = match error {
            ParseIdError::Base32(error) => Fault::Key(error.into()),
            ParseIdError::Size(_) => Fault::Size("area id"),
        };
        at.fault("id", fault)
    })?;
    let public: Option<ExchangePublic> = at.optional_key("pub", "pub")?;
    if at.has("prv") && public.is_none() {
        return Err(ConfigError::PrivateWithoutPublic(name.to_owned()));
    }
    if let Some(of_key) = public.map(|public| public.area_id()).filter(|of_key| *of_key != id) {
        warnings.push(Warning::AreaId { name: name.to_owned(), of_key });
    }
    Ok(Area {
        name: name.to_owned(),
        id,
        public,
        private: at.optional_key("prv", "prv")?,
        subs: at.nodes("subs", ids)?,
        incoming: at.checked("incoming", |text| absolute(text, "Incoming"))?,
        exec: at.under("exec").values(|value| Some(text_list(value))),
        allow_unknown: at.flag("allow-unknown"),
    })
}

fn notify(at: &At<'_>) -> Notify {
    let mail = |at: &At<'_>| Mail {
        from: at.text("from").unwrap_or_default().to_owned(),
        to: at.text("to").unwrap_or_default().to_owned(),
    };
    Notify {
        file: at.has("file").then(|| mail(&at.under("file"))),
        freq: at.has("freq").then(|| mail(&at.under("freq"))),
        // An entry of nothing is none, as in the reference.
        exec: at
            .under("exec")
            .members()
            .filter(|(_, at)| at.has("from") || at.has("to"))
            .map(|(name, at)| (name.clone(), mail(&at)))
            .collect(),
    }
}
