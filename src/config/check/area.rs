//! Checks areas.

use super::super::error::{ConfigError, Fault};
use super::super::node::Area;
use super::super::twins;
use super::super::warning::Warning;
use super::at::{At, absolute, text_list};
use packmule_protocol::id::{AreaId, NodeId, ParseIdError};
use packmule_protocol::keys::ExchangePublic;
use std::collections::BTreeMap;

/// The areas by name, and the aliases of areas.
pub(super) type Areas = (BTreeMap<String, Area>, BTreeMap<String, String>);

pub(super) fn areas(
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
