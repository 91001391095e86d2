//! The packets on their way that a command is about: by name, or all for a node.

use super::command::WrongUsage;
use super::lookup;
use crate::ledger::Entry;
use crate::local::Local;
use anyhow::{Context, bail};
use std::ffi::OsString;

/// Shows `act` each packet that is named, or all that are on their way to the node `all`.
///
/// # Errors
/// When a name is not that of a followed packet; nothing is done then.
pub(super) fn each(
    local: &Local,
    all: Option<&str>,
    operands: &[OsString],
    mut act: impl FnMut(&Entry) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    match (all, operands) {
        (Some(node), []) => {
            let to = local.node.find(node).context("Invalid -all specified")?;
            // Of many thousands only the names are kept.
            let mut packets = Vec::new();
            local.ledger.each_followed(&to.id, |entry| {
                packets.push(entry.id());
                Ok(())
            })?;
            for packet in packets {
                if let Some(entry) = local.ledger.find(&to.id, &packet)? {
                    act(&entry)?;
                }
            }
        }
        (None, [_, ..]) => {
            let mut entries = Vec::new();
            for name in operands {
                let packet = lookup::packet(&name.to_string_lossy())?;
                match local.ledger.find_anywhere(&packet)? {
                    Some(entry) => entries.push(entry),
                    None => bail!(
                        "{packet}: no followed packet has this name; packmule status -pkt lists them"
                    ),
                }
            }
            entries.iter().try_for_each(act)?;
        }
        _ => return Err(WrongUsage.into()),
    }
    Ok(())
}
