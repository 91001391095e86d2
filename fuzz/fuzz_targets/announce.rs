//! A datagram of any bytes is an announcement exactly when it is what announcing that node sends.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule_protocol::announce;
use packmule_protocol::id::NodeId;

fuzz_target!(|bytes: &[u8]| {
    if let Some(node) = announce::decode(bytes) {
        assert_eq!(announce::encode(&node), bytes);
    }
    // Random bytes hardly ever begin with the magic, so the input is also an announced node, and what
    // may stand behind an announcement.
    let Some((id, rest)) = bytes.split_first_chunk() else { return };
    let mut datagram = announce::encode(&NodeId(*id)).to_vec();
    assert_eq!(announce::decode(&datagram), Some(NodeId(*id)));
    datagram.extend_from_slice(rest);
    assert_eq!(announce::decode(&datagram).is_some(), rest.is_empty());
});
