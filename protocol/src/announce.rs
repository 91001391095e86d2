//! Multicast discovery: the datagram with which a daemon announces itself on a link. NNCP manual,
//! "MultiCast Discovery".
//!
//! It is neither signed nor encrypted. The receiver learns an address to try, but not who is there.
//!
//! ```
//! use packmule_protocol::announce;
//! use packmule_protocol::id::NodeId;
//!
//! let node = NodeId([7; 32]);
//! assert_eq!(announce::decode(&announce::encode(&node)), Some(node));
//! assert_eq!(announce::decode(b"something else"), None);
//! ```

use crate::id::NodeId;
use crate::magic;
use std::net::Ipv6Addr;

/// The link-local group to which announcements are sent.
pub const GROUP: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0x4e4e, 0x4350);
/// The UDP port to which they are sent. Their source port is that of the daemon's TCP listener.
pub const PORT: u16 = 5400;
/// Length of an announcement in bytes.
pub const LEN: usize = 40;

/// The datagram that announces `node`.
pub fn encode(node: &NodeId) -> [u8; LEN] {
    let mut datagram = [0; LEN];
    datagram[..8].copy_from_slice(&magic::DISCOVERY);
    datagram[8..].copy_from_slice(&node.0);
    datagram
}

/// The node that `datagram` announces; `None` if it is not an announcement.
pub fn decode(datagram: &[u8]) -> Option<NodeId> {
    let datagram: &[u8; LEN] = datagram.try_into().ok()?;
    let node = datagram.strip_prefix(&magic::DISCOVERY)?;
    Some(NodeId(node.try_into().expect("40 bytes less 8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden() -> Vec<u8> {
        let mut datagram = b"NNCPD\0\0\x01".to_vec();
        datagram.extend(0..32);
        datagram
    }

    #[test]
    fn it_is_the_magic_and_the_id() {
        let node = NodeId(std::array::from_fn(|index| index as u8));
        assert_eq!(encode(&node).as_slice(), golden());
        assert_eq!(decode(&golden()), Some(node));
    }

    #[test]
    fn other_lengths_and_other_magics_are_ignored() {
        let golden = golden();
        for len in 0..LEN {
            assert_eq!(decode(&golden[..len]), None, "{len}");
        }
        assert_eq!(decode(&[golden.as_slice(), b"x"].concat()), None);
        let mut wrong = golden;
        wrong[4] = b'S';
        assert_eq!(decode(&wrong), None);
    }

    #[test]
    fn the_group_spells_nncp() {
        assert_eq!(GROUP.to_string(), "ff02::4e4e:4350");
    }
}
