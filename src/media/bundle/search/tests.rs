//! What the search finds in streams of any kind, and what it passes over.

use super::super::entry;
use super::*;
use crate::outbound::pax_record;
use crate::spool::testing::{hash, packet_of};
use packmule_protocol::exchange::Place;
use packmule_protocol::id::NodeId;
use proptest::prelude::*;

/// A bundle with one packet.
pub(in super::super) fn bundle(packet: &[u8]) -> Vec<u8> {
    let place = Place { recipient: NodeId([2; 32]), sender: NodeId([1; 32]), packet: hash(packet) };
    let mut out = entry::headers(&place, packet.len() as u64);
    out.extend(packet);
    out.resize(out.len() + entry::padding(packet.len() as u64), 0);
    out
}

fn one(payload: &[u8]) -> Vec<u8> {
    packet_of(NodeId([1; 32]), NodeId([2; 32]), 5, payload)
}

/// All packets of a stream, in order.
fn found(stream: impl Read) -> Vec<Vec<u8>> {
    let mut search = Search::new(stream);
    let mut packets = Vec::new();
    while let Some(found) = search.next_packet().unwrap() {
        let name = found.packet;
        let mut bytes = Vec::new();
        let mut packet = found.open();
        packet.read_to_end(&mut bytes).unwrap();
        assert_eq!(packet.left(), 0);
        assert_eq!(hash(&bytes), name);
        packets.push(bytes);
    }
    packets
}

/// A reader that returns one byte at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(self.0.len()).min(1);
        self.0.read(&mut buffer[..len])
    }
}

#[test]
fn bundles_with_anything_between_them_are_found() {
    let packets = [one(b""), one(&[1; 1000]), one(&[2; 600])];
    let mut stream = b"NNCP garbage NNC".to_vec();
    stream.extend(bundle(&packets[0]));
    stream.extend([0; 1024]);
    stream.extend(bundle(&packets[1]));
    stream.extend(b"odd NNCPNNCP");
    stream.extend(bundle(&packets[2]));
    stream.extend(b"NNCP");
    assert_eq!(found(&stream[..]), packets);
    assert_eq!(found(Slow(&stream)), packets);
}

#[test]
fn what_looks_like_a_beginning_hides_no_entry_behind_it() {
    let packet = one(&[1; 1000]);
    for distance in [4, 100, 345, 508, 511, 512, 513] {
        let mut stream = b"NNCP".to_vec();
        stream.resize(distance, b'x');
        stream.extend(bundle(&packet));
        assert_eq!(found(&stream[..]), std::slice::from_ref(&packet), "{distance}");
        // A directory entry whose packet was cut out.
        let mut stream = bundle(&packet)[..512].to_vec();
        stream.resize(512 + distance, b'x');
        stream.extend(bundle(&packet));
        assert_eq!(
            found(&stream[..]),
            std::slice::from_ref(&packet),
            "{distance} behind a directory"
        );
    }
}

#[test]
fn an_entry_needs_no_directory_before_it() {
    let packet = one(&[1; 1000]);
    assert_eq!(found(&bundle(&packet)[512..]), [packet]);
}

#[test]
fn archives_of_tar_programs_are_read() {
    let packets = [one(b""), one(&[1; 1000])];
    let mut archive = tar::Builder::new(Vec::new());
    let dir = format!("NNCP/{}/{}", NodeId([2; 32]), NodeId([1; 32]));
    for packet in &packets {
        let mut header = tar::Header::new_gnu();
        header.set_size(packet.len() as u64);
        header.set_mode(0o400);
        let name = format!("{dir}/{}", hash(packet));
        archive.append_data(&mut header, name, &packet[..]).unwrap();
    }
    assert_eq!(found(&archive.into_inner().unwrap()[..]), packets);
}

fn header(name: &str, kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_cksum();
    header
}

/// A pax archive whose size record and field are as given.
fn pax(packet: &[u8], record: u64, own: u64) -> Vec<u8> {
    let path = format!("NNCP/x/y/{}", hash(packet));
    let size = record.to_string();
    let records = [pax_record("path", path), pax_record("size", size)].concat();
    let len = records.len() as u64;
    let extended = header("././@PaxHeader", tar::EntryType::XHeader, len);
    let mut out = extended.as_bytes().to_vec();
    out.extend(records);
    out.resize(1024, 0);
    out.extend(header("NNCP/x", tar::EntryType::Regular, own).as_bytes());
    out.extend(packet);
    out
}

#[test]
fn a_size_said_twice_differently_is_refused() {
    let packet = one(&[1; 1000]);
    let len = packet.len() as u64;
    assert_eq!(found(&pax(&packet, len, len)[..]), std::slice::from_ref(&packet));
    for (record, own) in [(len, len - 1), (len, 0), (len + 1, len), (1 << 33, len)] {
        let stream = [pax(&packet, record, own), bundle(&one(b"next"))].concat();
        assert_eq!(found(&stream[..]), [one(b"next")], "{record} {own}");
    }
}

#[test]
fn names_and_contents_that_are_no_packets_are_passed_over() {
    let refused = |name: &str, size: u64, content: &[u8]| {
        let header = header(name, tar::EntryType::Regular, size);
        let stream = [header.as_bytes(), content, &bundle(&one(b"next"))].concat();
        assert_eq!(found(&stream[..]), [one(b"next")], "{name} {size}");
    };
    let packet = one(&[1; 1000]);
    let (name, len) = (hash(&packet).to_string(), packet.len() as u64);
    refused("NNCP/MZXW6", len, &packet);
    refused(&format!("NNCP/{}", name.to_lowercase()), len, &packet);
    refused(&format!("NNCP/{name}A"), len, &packet);
    refused(&format!("NNCP/{name}"), 171, &packet);
    refused(&format!("NNCP/{name}"), len, &[9; 1000]);
    // A wrong size must not hide the next packet.
    refused("NNCP/README", 1 << 32, b"text");
}

#[test]
fn a_cut_packet_is_noticed() {
    let stream = bundle(&one(&[1; 1000]));
    let mut search = Search::new(&stream[..1500]);
    let mut packet = search.next_packet().unwrap().unwrap().open();
    assert_eq!(io::copy(&mut packet, &mut io::sink()).unwrap(), 1500 - 1024);
    assert!(packet.left() > 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn packets_are_found_in_any_noise(
        noise in prop::collection::vec(prop::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(&b"NNCP0"[..])], 0..1500), 1..4),
        sizes in prop::collection::vec(0_usize..3000, 3),
    ) {
        let mut stream = Vec::new();
        let mut packets = Vec::new();
        for (noise, size) in noise.iter().zip(sizes) {
            let packet = one(&vec![3; size]);
            stream.extend(noise);
            stream.extend(bundle(&packet));
            packets.push(packet);
        }
        prop_assert_eq!(found(&stream[..]), packets);
    }
}

#[test]
fn the_end_of_a_packet_stays_the_end_whole_or_cut() {
    let packet = one(&[1; 1000]);
    let stream = bundle(&packet);
    let end = stream.len() - entry::padding(packet.len() as u64);
    for cut in [0, 1, 500, 1000] {
        let (stream, want) = (&stream[..end - cut], &packet[..packet.len() - cut]);
        let mut search = Search::new(stream);
        let found = search.next_packet().unwrap().unwrap();
        assert_eq!(crate::blocks::ends_for_good(found.open()), want);
    }
}
