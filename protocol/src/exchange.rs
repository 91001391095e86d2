//! Names of packets outside the spool: on removable media and in bundles. NNCP manual, "nncp-xfer"
//! and "nncp-bundle".
//!
//! ```text
//! media    RECIPIENT/SENDER/PACKET        below the medium's directory
//! bundle   NNCP/RECIPIENT/SENDER/PACKET   a tar entry, after a directory entry NNCP
//! ```
//!
//! SENDER is the node that copied the packet there, not necessarily the one that encrypted it.

use crate::id::{NodeId, PacketHash};

/// First component of names in bundles. Readers of a bundle search for it.
pub const BUNDLE_ROOT: &str = "NNCP";

/// The place of a packet on a medium or in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The node that the packet is for.
    pub recipient: NodeId,
    /// The node that copied it there.
    pub sender: NodeId,
    /// Its hash.
    pub packet: PacketHash,
}

impl Place {
    /// The directory part of its name in a bundle: the ustar prefix.
    pub fn bundle_prefix(&self) -> String {
        format!("{BUNDLE_ROOT}/{}/{}", self.recipient, self.sender)
    }
}

/// The packet's hash in the last component of a bundle entry's name: 52 characters of canonical
/// base32. Ignores the other components, since the packet's header has the authoritative ids.
pub fn bundled_packet(entry_name: &[u8]) -> Option<PacketHash> {
    let last = entry_name.rsplit(|byte| *byte == b'/').next()?;
    std::str::from_utf8(last).ok().and_then(PacketHash::from_file_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_manuals() {
        let place = Place {
            recipient: NodeId([0; 32]),
            sender: NodeId([0xFF; 32]),
            packet: PacketHash([0xAB; 32]),
        };
        let (zero, ones) = ("A".repeat(52), format!("{}Q", "7".repeat(51)));
        assert_eq!(place.bundle_prefix(), format!("NNCP/{zero}/{ones}"));
        assert_eq!(place.bundle_prefix().len(), 110);
    }

    #[test]
    fn only_a_whole_packet_name_is_one() {
        let name = PacketHash([0xAB; 32]);
        let check = |text: &str, want| assert_eq!(bundled_packet(text.as_bytes()), want, "{text}");
        check(&format!("NNCP/x/../y/{name}"), Some(name));
        check(&name.to_string(), Some(name));
        check("NNCP/A/B/MZXW6", None);
        check(&format!("NNCP/A/B/{name}/"), None);
        check("", None);
    }
}
