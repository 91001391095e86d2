//! Tests of bundles and a spool: stored packets, rejected packets, crashes.

use super::search::tests::bundle;
use super::*;
use crate::disk::fault::{self, Fault};
use crate::local::testing::TestNode;
use crate::media::Report;
use crate::spool::Xx;
use crate::spool::testing::{hash, packet_of};
use packmule_protocol::id::NodeId;
use std::fs::File;
use std::io::{Read, Seek, Write};

impl TestNode {
    fn with<'a>(&'a self, options: Options<'a>) -> Bundle<'a> {
        Bundle { local: &self.local, options, hdr: true, dry_run: false }
    }

    fn dry(&self) -> Bundle<'_> {
        Bundle { dry_run: true, ..self.with(Options::default()) }
    }
}

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

#[test]
fn what_is_sent_is_received() {
    let node = TestNode::alice();
    let hashes = [node.queue(b"one"), node.queue(&[2; 300_000])];
    let mut out = file(b"");
    let nodes = [node.bob(), node.bob()];
    let report = node.with(Options { nodes: &nodes, ..Options::default() }).send(&out).unwrap();
    assert_eq!((report.packets, report.failed), (2, 0), "a node named twice is served once");
    assert_eq!(node.held(Xx::Tx).len(), 2, "packets stay without -delete");
    out.rewind().unwrap();
    let mut search = search::Search::new(&out);
    let mut found = Vec::new();
    while let Some(packet) = search.next_packet().unwrap() {
        found.push(packet.packet);
    }
    found.sort();
    let mut hashes = hashes.to_vec();
    hashes.sort();
    assert_eq!(found, hashes);
}

#[test]
fn what_is_written_at_a_time_makes_whole_blocks() {
    let node = TestNode::alice();
    for size in [1, 100, 65_000, 66_000, 300_000] {
        node.queue(&vec![3; size]);
    }
    // Each read from a direct pipe returns the bytes of one write, or one page of them.
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::DIRECT).unwrap();
    let read = std::thread::spawn(move || {
        let mut reader = File::from(reader);
        let mut buffer = vec![0; 1 << 20];
        let lens = std::iter::from_fn(|| reader.read(&mut buffer).ok().filter(|len| *len > 0));
        lens.collect::<Vec<_>>()
    });
    let nodes = [node.bob()];
    let bundle = node.with(Options { nodes: &nodes, ..Options::default() });
    assert_eq!(bundle.send(&File::from(writer)).unwrap().packets, 5);
    let lens = read.join().unwrap();
    assert!(lens.len() > 10 && lens.iter().all(|len| len % 512 == 0), "{lens:?}");
}

#[test]
fn only_what_is_ours_new_and_whole_is_taken() {
    let node = TestNode::alice();
    let good = node.packet_of_bob(b"good");
    let mut damaged = bundle(&node.packet_of_bob(&[1; 1000]));
    damaged[1500] ^= 1;
    let others = packet_of(node.bob().id, NodeId([9; 32]), 5, b"others");
    let stream = [bundle(&good), damaged, bundle(&others), bundle(&good)].concat();
    let report = node.with(Options::default()).receive(&stream[..]).unwrap();
    // The second copy counts as there already: the first was published before the damaged packet.
    let bytes = 2 * good.len() as u64;
    assert_eq!(
        report,
        Report { packets: 2, bytes, there: 1, skipped: 1, failed: 1, ..Report::default() }
    );
    assert_eq!(node.held(Xx::Rx), [hash(&good)]);
}

#[test]
fn a_damaged_copy_in_the_spool_is_replaced() {
    let node = TestNode::alice();
    let packet = node.packet_of_bob(b"good");
    let path = node.local.spool.packet(&node.bob().id, Xx::Rx, &hash(&packet));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    for damaged in [&packet[..100], &[0; 300], &[&packet[..], b"x"].concat()] {
        std::fs::write(&path, damaged).unwrap();
        for there in [0, 1] {
            let report = node.with(Options::default()).receive(&bundle(&packet)[..]).unwrap();
            let bytes = packet.len() as u64;
            assert_eq!(report, Report { packets: 1, bytes, there, ..Report::default() });
            assert_eq!(std::fs::read(&path).unwrap(), packet);
        }
    }
}

#[test]
fn a_seen_packet_is_not_taken_again() {
    let node = TestNode::alice();
    let packet = node.packet_of_bob(b"good");
    node.local.spool.mark_seen(&node.bob().id, &hash(&packet)).unwrap();
    let report = node.with(Options::default()).receive(&bundle(&packet)[..]).unwrap();
    assert_eq!(report, Report { skipped: 1, ..Report::default() });
}

#[test]
fn a_dry_run_verifies_and_takes_nothing() {
    let node = TestNode::alice();
    let mut stream = bundle(&node.packet_of_bob(b"good"));
    let dry = node.dry();
    assert_eq!(dry.receive(&stream[..]).unwrap().packets, 1);
    stream[1024 + 173] ^= 1;
    assert_eq!(dry.receive(&stream[..]).unwrap().failed, 1);
    assert!(node.held(Xx::Rx).is_empty());
}

#[test]
fn of_a_packet_that_is_cut_nothing_is_kept() {
    let node = TestNode::alice();
    let stream = bundle(&node.packet_of_bob(&[1; 1000]));
    for len in [1024 + 172, 1500, 1024 + 1171] {
        let broken = node.with(Options::default()).receive(&stream[..len]).unwrap_err();
        assert!(matches!(broken.cause, ReceiveError::Cut), "{len}");
        assert_eq!(broken.done, Report::default());
    }
    assert!(node.held(Xx::Rx).is_empty());
    assert_eq!(std::fs::read_dir(node.local.spool.tmp_dir()).unwrap().count(), 0);
}

#[test]
fn what_was_taken_before_a_stream_broke_off_is_told() {
    let node = TestNode::alice();
    let [whole, cut] = [1, 2].map(|n| bundle(&node.packet_of_bob(&[n; 1000])));
    let stream = [&whole[..], &cut[..1500]].concat();
    let broken = node.with(Options::default()).receive(&stream[..]);
    assert_eq!(broken.unwrap_err().done.packets, 1);
    assert_eq!(node.held(Xx::Rx).len(), 1);
}

#[test]
fn only_what_is_on_the_recording_whole_is_removed() {
    let node = TestNode::alice();
    let recorded = node.queue(b"recorded");
    let damaged = node.queue(&[2; 1000]);
    let missing = node.queue(b"not on the recording");
    let payload = |payload: &[u8]| bundle(&node.packet_for_bob(payload));
    let mut bad = payload(&[2; 1000]);
    bad[1500] ^= 1;
    let stream = file(&[payload(b"recorded"), bad, payload(b"gone already")].concat());
    let report = node.with(Options::default()).verify_recording(&stream).unwrap();
    assert_eq!((report.packets, report.skipped, report.failed), (1, 1, 1));
    let held = node.held(Xx::Tx);
    assert!(!held.contains(&recorded) && held.contains(&damaged) && held.contains(&missing));
}

#[test]
fn what_is_for_us_on_a_recording_is_taken() {
    let node = TestNode::alice();
    let ours = node.queue(b"recorded");
    let recorded = bundle(&node.packet_for_bob(b"recorded"));
    let mut stream = file(&[recorded, bundle(&node.packet_of_bob(b"answer"))].concat());
    let dry = node.dry();
    assert_eq!(dry.verify_recording(&stream).unwrap().packets, 2);
    assert_eq!((node.held(Xx::Tx), node.held(Xx::Rx).len()), (vec![ours], 0));
    stream.rewind().unwrap();
    assert_eq!(node.with(Options::default()).verify_recording(&stream).unwrap().packets, 2);
    assert_eq!((node.held(Xx::Tx).len(), node.held(Xx::Rx).len()), (0, 1));
}

/// After a fault at any step, each of our packets is complete in the spool or on the recording.
#[test]
fn a_crash_while_a_recording_is_verified_loses_nothing() {
    for at in 0.. {
        let node = TestNode::alice();
        let packets = [node.queue(b"one"), node.queue(b"two")];
        let recording =
            [b"one", b"two"].map(|payload| bundle(&node.packet_for_bob(payload))).concat();
        let verify = || node.with(Options::default()).verify_recording(&file(&recording));
        let (_, reached) = fault::with(Fault::Kill, at, || verify().map(drop));
        assert!(node.held(Xx::Tx).iter().all(|held| packets.contains(held)));
        verify().unwrap();
        assert!(node.held(Xx::Tx).is_empty(), "killed at step {at}");
        if !reached {
            break;
        }
    }
}

#[test]
fn a_crash_while_packets_are_sent_and_removed_loses_nothing() {
    for at in 0.. {
        let node = TestNode::alice();
        let packets = [node.queue(b"one"), node.queue(b"two")];
        let mut out = file(b"");
        let nodes = [node.bob()];
        let options = Options { nodes: &nodes, delete: true, ..Options::default() };
        let (_, reached) = fault::with(Fault::Kill, at, || node.with(options).send(&out).map(drop));
        out.rewind().unwrap();
        let mut search = search::Search::new(&out);
        let mut there = node.held(Xx::Tx);
        while let Some(packet) = search.next_packet().unwrap() {
            there.push(packet.packet);
        }
        assert!(packets.iter().all(|packet| there.contains(packet)), "killed at step {at}");
        if !reached {
            assert!(node.held(Xx::Tx).is_empty());
            break;
        }
    }
}

#[test]
fn a_crash_while_packets_are_taken_leaves_whole_ones_only() {
    for at in 0.. {
        let node = TestNode::alice();
        let packets = [node.packet_of_bob(b"one"), node.packet_of_bob(b"two")];
        let stream = packets.each_ref().map(|packet| bundle(packet)).concat();
        let receive = || node.with(Options::default()).receive(&stream[..]);
        let (_, reached) = fault::with(Fault::Kill, at, || receive().map(drop));
        for job in node.local.spool.jobs(&node.bob().id, Xx::Rx).unwrap() {
            assert_eq!(hash(&std::fs::read(job.path()).unwrap()), job.hash);
        }
        receive().unwrap();
        assert_eq!(node.held(Xx::Rx).len(), 2, "killed at step {at}");
        if !reached {
            break;
        }
    }
}
