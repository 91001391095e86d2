//! Encrypted packets: whatever follows a header that a known sender signed is opened or refused.
//!
//! The first byte chooses a genuine packet, the next two say how many of its bytes are cut off before the
//! given ones, so that the fuzzer gets past the ciphers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule_protocol::id::NodeId;
use packmule_protocol::keys::{ExchangePrivate, SigningPrivate};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::open::open_whole;
use packmule_protocol::packet::seal::{Recipient, Sender, seal_whole};
use packmule_protocol::packet::{Header, Opener, Sealer};
use packmule_protocol::seed::Seed;

const RECIPIENT: NodeId = NodeId([3; 32]);
/// Plain bytes and padding: within one block, and around its end (131,072 with what belongs to it).
const SIZES: [(usize, u64); 16] = [
    (0, 0),
    (1, 0),
    (0, 1),
    (7, 20),
    (16, 16),
    (100, 412),
    (255, 0),
    (1024, 0),
    (1024, 3072),
    (4000, 96),
    (9000, 1),
    (131_055, 0),
    (131_056, 0),
    (131_056, 1),
    (131_057, 40),
    (131_072, 255),
];

/// A packet, and what opens it. Made once: keys and seals cost more than all else here.
struct Genuine {
    packet: Vec<u8>,
    opener: Opener,
}

thread_local! {
    static GENUINE: Vec<Genuine> = SIZES.iter().map(|(plain, padding)| genuine(*plain, *padding)).collect();
}

fn genuine(plain: usize, padding: u64) -> Genuine {
    let (signing, exchange) =
        (SigningPrivate::from_seed(&[1; 32]), ExchangePrivate::from_bytes([2; 32]));
    let sender = Sender { id: signing.public().node_id(), key: &signing };
    let recipient = Recipient { id: RECIPIENT, key: exchange.public() };
    let ephemeral = Seed::from_bytes([4; 32]);
    let sealer = Sealer::new(sender, recipient, Niceness::BULK, ephemeral).expect("a good key");
    let packet = seal_whole(&sealer, &vec![7; plain], padding);
    let verified = sealer.header().clone().verify(&signing.public()).expect("signed above");
    let opener = Opener::new(&verified, &RECIPIENT, &exchange).expect("sealed for it");
    Genuine { packet, opener }
}

fuzz_target!(|bytes: &[u8]| {
    let _ = Header::parse(bytes);
    let Some((&[which, high, low], rest)) = bytes.split_first_chunk() else { return };
    GENUINE.with(|all| {
        let genuine = &all[usize::from(which) % all.len()];
        let cut = usize::from(u16::from_be_bytes([high, low]));
        let kept = genuine.packet.len().saturating_sub(cut);
        let packet = [&genuine.packet[..kept], rest].concat();
        // Only the packet as it was made opens.
        assert_eq!(open_whole(&genuine.opener, &packet).is_ok(), packet == genuine.packet);
    });
});
