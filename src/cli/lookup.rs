//! Looks up the nodes, relays and areas that a command line names.

use super::command::Misuse;
use crate::config::{Area, Node};
use crate::nearest::nearest;
use crate::outbound::{Destination, Via};
use anyhow::{Context, anyhow};
use packmule_protocol::id::{PacketHash, ParseIdError};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The relays of `-via`: names separated by commas; `-`: none; empty: the configured ones.
///
/// # Errors
/// `Invalid Via node specified: …`.
pub(crate) fn via(node: &Node, flag: Option<&str>) -> anyhow::Result<Via> {
    match flag {
        None => Ok(Via::Configured),
        Some("-") => Ok(Via::These(Vec::new())),
        Some(names) => {
            let hops =
                names.split(',').map(|name| Ok(node.find(name)?.id)).collect::<anyhow::Result<_>>();
            Ok(Via::These(hops.context("Invalid Via node specified")?))
        }
    }
}

/// Looks up the neighbour or area that `name` names.
///
/// # Errors
/// `Invalid NODE specified: …`, `Unknown area specified`.
pub(crate) fn destination<'a>(node: &'a Node, name: Name<'_>) -> anyhow::Result<Destination<'a>> {
    match name {
        Name::Node(name) => {
            Ok(Destination::Node(node.find(name).context("Invalid NODE specified")?))
        }
        Name::Area(name) => Ok(Destination::Area(area(node, name)?)),
    }
}

/// The recipient of a packet, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name<'a> {
    /// A neighbour.
    Node(&'a str),
    /// An area, without the `area:` before it.
    Area(&'a str),
}

/// Splits `NODE:DST` or `area:AREA:DST`.
///
/// # Errors
/// `Misuse` if there is no colon.
pub(crate) fn split_target(text: &OsStr) -> Result<(Name<'_>, &[u8]), Misuse> {
    let bytes = text.as_bytes();
    let area = bytes.strip_prefix(b"area:");
    let no_colon = || Misuse(format!("{text:?} is not NODE:[DST]: it has no colon"));
    let (name, path) = split_once(area.unwrap_or(bytes)).ok_or_else(no_colon)?;
    // A name that is not UTF-8 is in no configuration: report it as unknown.
    let name = std::str::from_utf8(name).unwrap_or("\u{fffd}");
    Ok((if area.is_some() { Name::Area(name) } else { Name::Node(name) }, path))
}

/// The bytes before and after the first colon.
pub(crate) fn split_once(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == b':')?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

fn area<'a>(node: &'a Node, name: &str) -> anyhow::Result<&'a Area> {
    node.area(name).ok_or_else(|| {
        let names = node.areas.keys().map(String::as_str);
        anyhow!("Unknown area specified: no area is called {name:?}: {}", nearest(name, names))
    })
}

/// A packet's name, as `-pkt` gives it.
///
/// # Errors
/// The text is not the name of a packet.
pub(crate) fn packet(text: &str) -> anyhow::Result<PacketHash> {
    text.parse().map_err(|error| match error {
        ParseIdError::Base32(error) => anyhow!("{error}"),
        ParseIdError::Size(_) => anyhow!("Invalid packet id size"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<(Name<'_>, &str)>) {
        let want = want.map(|(name, path)| (name, path.as_bytes()));
        assert_eq!(split_target(OsStr::new(text)).ok(), want, "{text}");
    }

    #[test]
    fn the_destination_is_all_that_follows_the_colon() {
        check("bob:", Some((Name::Node("bob"), "")));
        check("bob:a:b", Some((Name::Node("bob"), "a:b")));
        check("area:news:", Some((Name::Area("news"), "")));
        check("area:news:a:b", Some((Name::Area("news"), "a:b")));
        check("bob", None);
        check("area:news", None);
    }
}
