//! Encrypted packets: whatever follows a header that a known sender signed is opened or refused. The
//! first two bytes say how many bytes of a genuine packet stand before the given ones, so that the
//! fuzzer gets past the ciphers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule_protocol::id::NodeId;
use packmule_protocol::keys::{ExchangePrivate, SigningPrivate};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::open::open_whole;
use packmule_protocol::packet::seal::{Recipient, Sender, seal_whole};
use packmule_protocol::packet::{Header, Opener, Sealer};

const RECIPIENT: NodeId = NodeId([3; 32]);

fuzz_target!(|bytes: &[u8]| {
    let _ = Header::parse(bytes);
    let Some((kept, rest)) = bytes.split_first_chunk() else { return };
    let (signing, exchange) =
        (SigningPrivate::from_seed(&[1; 32]), ExchangePrivate::from_bytes([2; 32]));
    let sender = Sender { id: signing.public().node_id(), key: &signing };
    let recipient = Recipient { id: RECIPIENT, key: exchange.public() };
    let ephemeral = ExchangePrivate::from_bytes([4; 32]);
    let Ok(sealer) = Sealer::new(sender, recipient, Niceness::BULK, &ephemeral) else { return };
    let plain = vec![7; 131_056 + usize::from(kept[0])];
    let mut packet = seal_whole(&sealer, &plain, u64::from(kept[1]));
    let genuine = packet.clone();
    packet.truncate(packet.len().saturating_sub(usize::from(u16::from_be_bytes(*kept))));
    packet.extend_from_slice(rest);
    let Ok(verified) = sealer.header().clone().verify(&signing.public()) else { return };
    let Ok(opener) = Opener::new(&verified, &RECIPIENT, &exchange) else { return };
    // Only the packet as it was made opens.
    assert_eq!(open_whole(&opener, &packet).is_ok(), packet == genuine);
});
