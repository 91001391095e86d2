//! Every packet of the reference opens and holds what its manifest says, layer by layer.

use crate::keys::{area, known, node};
use crate::{file, hex, json, list, number, rule, text};
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::mth;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::open::open_whole;
use packmule_protocol::packet::{Header, Kind, Opener, PLAIN_LEN, PlainHeader, size};
use serde_json::Value;

fn kind(name: &str) -> Kind {
    match name {
        "file" => Kind::File,
        "freq" => Kind::Freq,
        "exec" => Kind::Exec,
        "trns" => Kind::Trns,
        "exec-fat" => Kind::ExecFat,
        "area" => Kind::Area,
        "ack" => Kind::Ack,
        other => panic!("{other}"),
    }
}

/// The header is as told, then the plain packet comes out.
fn open(packet: &[u8], told: &Value) -> Vec<u8> {
    let header = Header::parse(packet).unwrap();
    assert_eq!(PacketHash(mth::hash(packet)).to_string(), text(told, "name"));
    assert_eq!(packet.len() as u64, number(told, "length"));
    assert_eq!(u64::from(header.nice.get()), number(told, "nice"));
    assert_eq!(header.sender, node(text(told, "sender")).id);
    let (recipient, key) = match text(told, "recipient") {
        "news" => (NodeId(area().0.0), area().1),
        name => (node(name).id, node(name).exchange),
    };
    let sender = known(header.sender).unwrap();
    let opener = Opener::new(&header.verify(&sender).unwrap(), &recipient, &key).unwrap();
    open_whole(&opener, packet).unwrap()
}

fn check_plain<'a>(plain: &'a [u8], told: &Value) -> &'a [u8] {
    let header = PlainHeader::from_bytes(&plain[..PLAIN_LEN]).unwrap();
    assert_eq!(header.kind, kind(text(told, "kind")));
    assert_eq!(
        header.nice.map_or(0, Niceness::get),
        u8::try_from(number(told, "plain_nice")).unwrap()
    );
    assert_eq!(header.path(), hex(text(told, "path")));
    assert_eq!(header.to_bytes().len(), PLAIN_LEN);
    &plain[PLAIN_LEN..]
}

/// `told` is what is inside `plain`: bytes, or one more packet.
fn check_payload(plain: &[u8], told: &Value) {
    let payload = check_plain(plain, told);
    let told = &told["payload"];
    if let Some(length) = told["rule"].as_u64() {
        assert_eq!(payload, rule(length));
    } else if let Some(bytes) = told["hex"].as_str() {
        assert_eq!(payload, hex(bytes));
    } else {
        let inner = open(payload, told);
        let header = Header::parse(payload).unwrap();
        assert_eq!(header.message_id().to_string(), text(told, "msgid"));
        check_payload(&inner, told);
    }
}

fn check_padding(packet: &[u8], plain: &[u8], told: &Value) {
    if let Some(pad) = told["pad"].as_u64() {
        assert_eq!(size::packet_len(plain.len() as u64, pad), packet.len() as u64);
    }
}

#[test]
fn every_packet_of_the_reference_opens() {
    for told in list(&json("packets/manifest.json")).iter().filter(|told| told["route"].is_null()) {
        println!("{}", text(told, "file"));
        let packet = file(&format!("packets/{}", text(told, "file")));
        let plain = open(&packet, told);
        check_padding(&packet, &plain, told);
        check_payload(&plain, told);
    }
}

#[test]
fn every_relay_finds_what_it_passes_on() {
    for told in list(&json("packets/manifest.json")).iter().filter(|told| !told["route"].is_null())
    {
        println!("{}", text(told, "file"));
        let mut packet = file(&format!("packets/{}", text(told, "file")));
        let mut head = told;
        let layers = list(&told["layers"]);
        for layer in &layers[..layers.len() - 1] {
            let plain = open(&packet, head);
            packet = check_plain(&plain, layer).to_vec();
            head = &layer["payload"];
            let next = PlainHeader::from_bytes(&plain[..PLAIN_LEN]).unwrap().id().unwrap();
            assert_eq!(NodeId(next), node(text(head, "recipient")).id);
        }
        let plain = open(&packet, head);
        let last = &layers[layers.len() - 1];
        check_padding(&packet, &plain, last);
        check_payload(&plain, last);
    }
}
