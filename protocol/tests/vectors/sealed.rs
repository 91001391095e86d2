//! With a given ephemeral key a packet is fixed to the byte: ours are those the reference accepted.

use crate::keys::node;
use crate::{json, list, number, rule, text};
use packmule_protocol::id::PacketHash;
use packmule_protocol::mth;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::seal::{Recipient, Sender, seal_whole};
use packmule_protocol::packet::{Kind, PlainHeader, Sealer, size};
use packmule_protocol::seed::Seed;

#[test]
fn every_size_and_padding_is_sealed_to_the_same_bytes() {
    let (alice, bob) = (node("alice"), node("bob"));
    let sealer = Sealer::new(
        Sender { id: alice.id, key: &alice.signing },
        Recipient { id: bob.id, key: bob.exchange.public() },
        Niceness::BULK,
        Seed::from_bytes([0x41; 32]),
    )
    .unwrap();
    let header = PlainHeader::new(Kind::File, Some(Niceness::BULK), *b"f").unwrap();
    for told in list(&json("sealed.json")) {
        let plain = [&header.to_bytes()[..], &rule(number(told, "payload"))].concat();
        let packet = seal_whole(&sealer, &plain, number(told, "pad"));
        assert_eq!(packet.len() as u64, number(told, "length"), "{told}");
        assert_eq!(
            size::packet_len(plain.len() as u64, number(told, "pad")),
            number(told, "length")
        );
        assert_eq!(PacketHash(mth::hash(&packet)).to_string(), text(told, "name"), "{told}");
    }
}
