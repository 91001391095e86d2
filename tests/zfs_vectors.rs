//! The walker against real streams of three ZFS versions, and against what can happen to them.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use packmule::internal::zfs::stream::{
    ByteOrder, Event, Fletcher4, HEADER, Problem, Walker, inspect,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;

fn vectors() -> BTreeMap<String, Vec<u8>> {
    let file = std::fs::File::open("testvectors/zfs/streams.tar.zst").unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    let mut streams = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        if entry.header().entry_type().is_file() && !name.ends_with(".token") {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            streams.insert(name, bytes);
        }
    }
    streams
}

fn walk(stream: &[u8], piece: usize) -> Result<Vec<Event>, packmule::internal::zfs::stream::Fault> {
    let mut walker = Walker::new();
    let mut events = Vec::new();
    for mut rest in stream.chunks(piece) {
        while !rest.is_empty() {
            let (used, event) = walker.feed(rest)?;
            rest = &rest[used..];
            events.extend(event);
        }
    }
    walker.finish()?;
    Ok(events)
}

#[test]
fn every_real_stream_parses_to_its_expected_values() {
    let expected: BTreeMap<String, Value> =
        serde_json::from_str(&std::fs::read_to_string("testvectors/zfs/streams.json").unwrap())
            .unwrap();
    let streams = vectors();
    assert_eq!(streams.len(), 80);
    for (name, stream) in streams {
        let mut want = expected[&name].clone();
        guids_as_text(&mut want);
        if want["valid"] == false {
            assert_eq!(want["error"], "empty-package");
            let fault = walk(&stream, 1 << 20).unwrap_err();
            assert_eq!(fault.problem, Problem::EmptyPackage, "{name}");
            continue;
        }
        let mut got = serde_json::to_value(inspect(&stream[..]).unwrap()).unwrap();
        got["valid"] = true.into();
        assert_eq!(got, want, "{name}");
    }
}

/// The expected values are numbers, which many readers of JSON would round.
fn guids_as_text(inspection: &mut Value) {
    let text = |stream: &mut Value| {
        for key in ["toguid", "fromguid"] {
            stream[key] = stream[key].to_string().into();
        }
    };
    inspection["substreams"].as_array_mut().into_iter().flatten().for_each(text);
    inspection.get_mut("package_header").into_iter().for_each(text);
}

#[test]
fn pieces_of_any_size_give_the_same_events() {
    for (name, stream) in vectors() {
        let whole = walk(&stream, stream.len());
        for piece in [1, 7, 311, 313] {
            if stream.len() < 30_000 {
                assert_eq!(walk(&stream, piece), whole, "{name} in pieces of {piece}");
            }
        }
    }
}

#[test]
fn a_stream_cut_anywhere_is_refused() {
    for (name, stream) in vectors().into_iter().filter(|(_, stream)| stream.len() < 16_000) {
        for len in 0..stream.len() {
            assert!(walk(&stream[..len], 4096).is_err(), "{name} cut to {len}");
        }
    }
}

#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    for (name, stream) in vectors().into_iter().filter(|(_, stream)| stream.len() < 12_000) {
        for at in 0..stream.len() {
            let mut bad = stream.clone();
            bad[at] ^= 1 << (at % 8);
            assert!(walk(&bad, 4096).is_err(), "{name} at {at}");
        }
    }
}

#[test]
fn what_follows_the_end_is_refused_at_its_offset() {
    for (name, stream) in vectors() {
        if walk(&stream, 4096).is_err() {
            continue;
        }
        for extra in [&b"x"[..], &stream] {
            let fault = walk(&[&stream, extra].concat(), 4096).unwrap_err();
            assert_eq!(fault.problem, Problem::Trailing, "{name}");
            assert_eq!(fault.offset, stream.len() as u64, "{name}");
        }
    }
}

#[test]
fn a_packed_stream_that_is_cut_is_refused_at_an_offset_too() {
    let stream = vectors().remove("openzfs-2.3/full.s1").unwrap();
    let packed = zstd::encode_all(&stream[..], 3).unwrap();
    let source = packmule::internal::unpacked(&packed[..packed.len() - 9]).unwrap();
    let error = inspect(source).unwrap_err().to_string();
    assert!(error.starts_with("reading the stream, after "), "{error}");
}

#[test]
fn a_package_in_a_package_is_refused() {
    let package = vectors().remove("openzfs-2.3/I.s1-s4").unwrap();
    let (header, rest) = package.split_at(624);
    let nested = [header, header, rest].concat();
    let fault = walk(&nested, 4096).unwrap_err();
    assert_eq!((fault.offset, fault.problem), (624, Problem::NestedPackage));
}

/// A stream whose BEGIN was forged in every byte that `change` touches. Nothing of it is covered by
/// a checksum before it was looked at.
fn forged(change: impl Fn(&mut [u8])) -> Problem {
    let mut stream = vectors().remove("openzfs-2.3/full.s1").unwrap();
    change(&mut stream);
    walk(&stream, 4096).unwrap_err().problem
}

#[test]
fn a_forged_begin_is_refused_for_what_is_wrong_with_it() {
    let name = |text: &'static [u8]| {
        forged(move |bytes| {
            bytes[56..312].fill(0);
            bytes[56..56 + text.len()].copy_from_slice(text);
        })
    };
    for text in [&b"a/../b@s"[..], b"a@../../etc", b"a@s%recv", b"a@b@c", b"a@s\nWho: rx", b"a"] {
        // ".." is spelled in letters that ZFS allows: it is refused where the name is used.
        let dots = text.starts_with(b"a/..");
        assert_eq!(matches!(name(text), Problem::Name(_)), !dots, "{text:?}");
    }
    let huge = forged(|bytes| bytes[4..8].fill(0xff));
    assert!(matches!(huge, Problem::Range { field: "payloadlen", .. }), "{huge}");
    let features = forged(|bytes| bytes[21] |= 0x10);
    assert!(matches!(features, Problem::UnknownFeatures(_)), "{features}");
    let kind = forged(|bytes| bytes[16] |= 3);
    assert_eq!(kind, Problem::HeaderType(3));
    let objset = forged(|bytes| bytes[32] = 9);
    assert!(matches!(objset, Problem::Range { field: "type", value: 9, .. }), "{objset}");
    let guid = forged(|bytes| bytes[40..48].fill(0));
    assert!(matches!(guid, Problem::Range { field: "toguid", .. }), "{guid}");
}

/// A little-endian plain stream, cut into records with their payloads. Sizes are those of a stream
/// without compression.
fn records(stream: &[u8]) -> Vec<Vec<u8>> {
    let u32_at = |at: usize| u32::from_le_bytes(stream[at..at + 4].try_into().unwrap()) as usize;
    let mut records = Vec::new();
    let mut at = 0;
    while at < stream.len() {
        let payload = match u32_at(at) {
            0 => u32_at(at + 4),
            1 => u32_at(at + 28).next_multiple_of(8),
            3 => u32_at(at + 32),
            7 => u32_at(at + 16),
            _ => 0,
        };
        let end = at + HEADER + payload;
        records.push(stream[at..end].to_vec());
        at = end;
    }
    records
}

/// The stream of these records, with every checksum as its sender would have made it.
fn checksummed(records: &[Vec<u8>]) -> Vec<u8> {
    let mut sum = Fletcher4::new(ByteOrder::Little);
    let bytes = |sum: &Fletcher4| sum.sums().map(u64::to_le_bytes).concat();
    let mut stream = Vec::new();
    for record in records {
        let mut record = record.clone();
        match record[0] {
            0 => sum.update(&record),
            kind => {
                if kind == 5 {
                    record[8..40].copy_from_slice(&bytes(&sum));
                }
                sum.update(&record[..280]);
                let own = bytes(&sum);
                record[280..312].copy_from_slice(&own);
                sum.update(&record[280..]);
            }
        }
        stream.extend(record);
    }
    stream
}

#[test]
fn a_forged_record_is_refused_although_its_checksums_hold() {
    let whole = records(&vectors()["openzfs-2.3/full.s1"]);
    assert!(walk(&checksummed(&whole), 4096).is_ok());
    let first = |kind: u8| whole.iter().position(|record| record[0] == kind).unwrap();
    // The payload that the field claims is there, so that only the field is wrong.
    let forged = |kind: u8, at: usize, bytes: &[u8], payload: Option<usize>| {
        let mut records = whole.clone();
        let record = &mut records[first(kind)];
        record[at..at + bytes.len()].copy_from_slice(bytes);
        if let Some(payload) = payload {
            record.resize(HEADER + payload, 0);
        }
        walk(&checksummed(&records), 4096).map_err(|fault| fault.problem)
    };
    let field = |result| match result {
        Err(Problem::Range { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(field(forged(1, 24, &[0; 4], None)), "blksz");
    assert_eq!(field(forged(1, 8, &[0; 8], None)), "object");
    assert_eq!(field(forged(1, 16, &[99], None)), "type");
    assert_eq!(field(forged(1, 28, &640_u32.to_le_bytes(), Some(640))), "bonuslen");
    assert_eq!(field(forged(1, 34, &[33], None)), "dn_slots");
    assert_eq!(field(forged(3, 32, &[0; 8], Some(0))), "logical_size");
    assert_eq!(field(forged(3, 32, &513_u64.to_le_bytes(), Some(513))), "logical_size");
    assert_eq!(field(forged(3, 8, &u64::MAX.to_le_bytes(), None)), "object");
    assert_eq!(field(forged(4, 8, &[0; 8], None)), "object");
    assert_eq!(field(forged(0, 48, &whole[0][40..48], None)), "fromguid");
    let mut backward = whole.clone();
    let again = backward[first(3)].clone();
    let last = backward.iter().rposition(|record| record[0] == 3).unwrap();
    backward.insert(last + 1, again);
    let fault = walk(&checksummed(&backward), 4096).unwrap_err();
    assert_eq!(fault.problem, Problem::OutOfPlace("WRITE"));
}
