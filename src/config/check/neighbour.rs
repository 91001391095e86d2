//! Checks neighbours: keys, permissions and scheduled calls.

use super::super::cron::Schedule;
use super::super::error::{ConfigError, Fault};
use super::super::node::{Acks, Autotoss, Call, Direction, Freq, Neighbour};
use super::super::proof::{Proof, Wrong};
use super::super::schema::{autotoss_no, join};
use super::super::warning::Warning;
use super::at::{At, absolute, text_list};
use packmule_protocol::id::NodeId;
use packmule_protocol::keys::SigningPublic;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::Kinds;
use serde_json::Value;
use std::collections::BTreeMap;

/// The ids of all neighbours, by name.
pub(super) fn neighbour_ids<'a>(
    neigh: &At<'a>,
) -> Result<BTreeMap<&'a String, NodeId>, ConfigError> {
    let mut ids: BTreeMap<&String, NodeId> = BTreeMap::new();
    for (name, at) in neigh.members() {
        let id = at.node_id()?;
        ids.insert(name, id);
    }
    Ok(ids)
}

/// A neighbour without its relays, which may name neighbours that are not read yet.
pub(super) fn neighbour(
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
        proof: proof(&at.under("packmule"))?,
        packmule: at.get("packmule").cloned().unwrap_or_default(),
    })
}

fn proof(at: &At<'_>) -> Result<Proof, ConfigError> {
    Proof::parse(at.get("proof")).map_err(|wrong| {
        let Wrong { below, value, fault } = *wrong;
        let key = join(&at.path, "proof");
        let key = if below.is_empty() { key } else { join(&key, &below) };
        ConfigError::Value { key, value, fault }
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
        leave: Kinds::named(|name| at.flag(&autotoss_no(name))),
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
