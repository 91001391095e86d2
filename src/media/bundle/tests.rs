//! Bundles and a spool: what is taken, what is refused, what a crash leaves.

use super::search::tests::{bundle, hash, packet};
use super::*;
use crate::config::{self, Neighbour};
use crate::disk::fault::{self, Fault};
use crate::log::Log;
use crate::media::Report;
use crate::spool::Xx;
use packmule_protocol::id::{NodeId, PacketHash};
use std::fs::File;
use std::io::{Read, Seek, Write};

struct World {
    _dir: tempfile::TempDir,
    local: Local,
}

impl World {
    /// Alice, with an empty spool.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testvectors/config/alice.hjson");
        let mut node = config::load(path.as_ref(), || unreachable!()).unwrap().node;
        node.spool = dir.path().to_owned();
        Self { _dir: dir, local: Local::new(node, Log::none(), true) }
    }

    fn with<'a>(&'a self, options: Options<'a>) -> Bundle<'a> {
        Bundle { local: &self.local, options, hdr: true, dry_run: false }
    }

    fn dry(&self) -> Bundle<'_> {
        Bundle { dry_run: true, ..self.with(Options::default()) }
    }

    fn own(&self) -> NodeId {
        self.local.node.self_neighbour().id
    }

    fn bob(&self) -> &Neighbour {
        self.local.node.find("bob").unwrap()
    }

    fn packet_of_bob(&self, payload: &[u8]) -> Vec<u8> {
        packet(self.bob().id, self.own(), payload)
    }

    /// Queues a packet for bob.
    fn queue(&self, payload: &[u8]) -> PacketHash {
        let mut pending = self.local.spool.pending().unwrap();
        pending.write_all(&packet(self.own(), self.bob().id, payload)).unwrap();
        pending.commit(&self.bob().id, Xx::Tx, None).unwrap()
    }

    fn held(&self, xx: Xx) -> Vec<PacketHash> {
        self.local.spool.jobs(&self.bob().id, xx).unwrap().iter().map(|job| job.hash).collect()
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
    let world = World::new();
    let hashes = [world.queue(b"one"), world.queue(&[2; 300_000])];
    let mut out = file(b"");
    let nodes = [world.bob(), world.bob()];
    let report = world.with(Options { nodes: &nodes, ..Options::default() }).send(&out).unwrap();
    assert_eq!((report.packets, report.failed), (2, 0), "a node named twice is served once");
    assert_eq!(world.held(Xx::Tx).len(), 2, "packets stay without -delete");
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
    let world = World::new();
    for size in [1, 100, 65_000, 66_000, 300_000] {
        world.queue(&vec![3; size]);
    }
    // Each read from such a pipe gives what one write put there, or a page of it.
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::DIRECT).unwrap();
    let read = std::thread::spawn(move || {
        let mut reader = File::from(reader);
        let mut buffer = vec![0; 1 << 20];
        let lens = std::iter::from_fn(|| reader.read(&mut buffer).ok().filter(|len| *len > 0));
        lens.collect::<Vec<_>>()
    });
    let nodes = [world.bob()];
    let bundle = world.with(Options { nodes: &nodes, ..Options::default() });
    assert_eq!(bundle.send(&File::from(writer)).unwrap().packets, 5);
    let lens = read.join().unwrap();
    assert!(lens.len() > 10 && lens.iter().all(|len| len % 512 == 0), "{lens:?}");
}

#[test]
fn only_what_is_ours_new_and_whole_is_taken() {
    let world = World::new();
    let good = world.packet_of_bob(b"good");
    let mut damaged = bundle(&world.packet_of_bob(&[1; 1000]));
    damaged[1500] ^= 1;
    let others = packet(world.bob().id, NodeId([9; 32]), b"others");
    let stream = [bundle(&good), damaged, bundle(&others), bundle(&good)].concat();
    let report = world.with(Options::default()).receive(&stream[..]).unwrap();
    // The second time it is there: it was published with what stood before the damaged one.
    let bytes = 2 * good.len() as u64;
    assert_eq!(
        report,
        Report { packets: 2, bytes, there: 1, skipped: 1, failed: 1, ..Report::default() }
    );
    assert_eq!(world.held(Xx::Rx), [hash(&good)]);
}

#[test]
fn a_damaged_copy_in_the_spool_is_replaced() {
    let world = World::new();
    let packet = world.packet_of_bob(b"good");
    let path = world.local.spool.packet(&world.bob().id, Xx::Rx, &hash(&packet));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    for damaged in [&packet[..100], &[0; 300], &[&packet[..], b"x"].concat()] {
        std::fs::write(&path, damaged).unwrap();
        for there in [0, 1] {
            let report = world.with(Options::default()).receive(&bundle(&packet)[..]).unwrap();
            let bytes = packet.len() as u64;
            assert_eq!(report, Report { packets: 1, bytes, there, ..Report::default() });
            assert_eq!(std::fs::read(&path).unwrap(), packet);
        }
    }
}

#[test]
fn a_seen_packet_is_not_taken_again() {
    let world = World::new();
    let packet = world.packet_of_bob(b"good");
    world.local.spool.mark_seen(&world.bob().id, &hash(&packet)).unwrap();
    let report = world.with(Options::default()).receive(&bundle(&packet)[..]).unwrap();
    assert_eq!(report, Report { skipped: 1, ..Report::default() });
}

#[test]
fn a_dry_run_verifies_and_takes_nothing() {
    let world = World::new();
    let mut stream = bundle(&world.packet_of_bob(b"good"));
    let dry = world.dry();
    assert_eq!(dry.receive(&stream[..]).unwrap().packets, 1);
    stream[1024 + 173] ^= 1;
    assert_eq!(dry.receive(&stream[..]).unwrap().failed, 1);
    assert!(world.held(Xx::Rx).is_empty());
}

#[test]
fn of_a_packet_that_is_cut_nothing_is_kept() {
    let world = World::new();
    let stream = bundle(&world.packet_of_bob(&[1; 1000]));
    for len in [1024 + 172, 1500, 1024 + 1171] {
        let broken = world.with(Options::default()).receive(&stream[..len]).unwrap_err();
        assert!(matches!(broken.cause, ReceiveError::Cut), "{len}");
        assert_eq!(broken.done, Report::default());
    }
    assert!(world.held(Xx::Rx).is_empty());
    assert_eq!(std::fs::read_dir(world.local.spool.tmp_dir()).unwrap().count(), 0);
}

#[test]
fn what_was_taken_before_a_stream_broke_off_is_told() {
    let world = World::new();
    let [whole, cut] = [1, 2].map(|n| bundle(&world.packet_of_bob(&[n; 1000])));
    let stream = [&whole[..], &cut[..1500]].concat();
    let broken = world.with(Options::default()).receive(&stream[..]);
    assert_eq!(broken.unwrap_err().done.packets, 1);
    assert_eq!(world.held(Xx::Rx).len(), 1);
}

#[test]
fn only_what_is_on_the_recording_whole_is_removed() {
    let world = World::new();
    let recorded = world.queue(b"recorded");
    let damaged = world.queue(&[2; 1000]);
    let missing = world.queue(b"not on the recording");
    let payload = |payload: &[u8]| bundle(&packet(world.own(), world.bob().id, payload));
    let mut bad = payload(&[2; 1000]);
    bad[1500] ^= 1;
    let stream = file(&[payload(b"recorded"), bad, payload(b"gone already")].concat());
    let report = world.with(Options::default()).verify_recording(&stream).unwrap();
    assert_eq!((report.packets, report.skipped, report.failed), (1, 1, 1));
    let held = world.held(Xx::Tx);
    assert!(!held.contains(&recorded) && held.contains(&damaged) && held.contains(&missing));
}

#[test]
fn what_is_for_us_on_a_recording_is_taken() {
    let world = World::new();
    let ours = world.queue(b"recorded");
    let recorded = bundle(&packet(world.own(), world.bob().id, b"recorded"));
    let mut stream = file(&[recorded, bundle(&world.packet_of_bob(b"answer"))].concat());
    let dry = world.dry();
    assert_eq!(dry.verify_recording(&stream).unwrap().packets, 2);
    assert_eq!((world.held(Xx::Tx), world.held(Xx::Rx).len()), (vec![ours], 0));
    stream.rewind().unwrap();
    assert_eq!(world.with(Options::default()).verify_recording(&stream).unwrap().packets, 2);
    assert_eq!((world.held(Xx::Tx).len(), world.held(Xx::Rx).len()), (0, 1));
}

/// Killed or refused at any step, a packet of ours is in the spool or on the recording in full.
#[test]
fn a_crash_while_a_recording_is_verified_loses_nothing() {
    for at in 0.. {
        let world = World::new();
        let packets = [world.queue(b"one"), world.queue(b"two")];
        let recording = [b"one", b"two"]
            .map(|payload| bundle(&packet(world.own(), world.bob().id, payload)))
            .concat();
        let verify = || world.with(Options::default()).verify_recording(&file(&recording));
        let (_, reached) = fault::with(Fault::Kill, at, || verify().map(drop));
        assert!(world.held(Xx::Tx).iter().all(|held| packets.contains(held)));
        verify().unwrap();
        assert!(world.held(Xx::Tx).is_empty(), "killed at step {at}");
        if !reached {
            break;
        }
    }
}

#[test]
fn a_crash_while_packets_are_sent_and_removed_loses_nothing() {
    for at in 0.. {
        let world = World::new();
        let packets = [world.queue(b"one"), world.queue(b"two")];
        let mut out = file(b"");
        let nodes = [world.bob()];
        let options = Options { nodes: &nodes, delete: true, ..Options::default() };
        let (_, reached) =
            fault::with(Fault::Kill, at, || world.with(options).send(&out).map(drop));
        out.rewind().unwrap();
        let mut search = search::Search::new(&out);
        let mut there = world.held(Xx::Tx);
        while let Some(packet) = search.next_packet().unwrap() {
            there.push(packet.packet);
        }
        assert!(packets.iter().all(|packet| there.contains(packet)), "killed at step {at}");
        if !reached {
            assert!(world.held(Xx::Tx).is_empty());
            break;
        }
    }
}

#[test]
fn a_crash_while_packets_are_taken_leaves_whole_ones_only() {
    for at in 0.. {
        let world = World::new();
        let packets = [world.packet_of_bob(b"one"), world.packet_of_bob(b"two")];
        let stream = packets.each_ref().map(|packet| bundle(packet)).concat();
        let receive = || world.with(Options::default()).receive(&stream[..]);
        let (_, reached) = fault::with(Fault::Kill, at, || receive().map(drop));
        for job in world.local.spool.jobs(&world.bob().id, Xx::Rx).unwrap() {
            assert_eq!(hash(&std::fs::read(job.path()).unwrap()), job.hash);
        }
        receive().unwrap();
        assert_eq!(world.held(Xx::Rx).len(), 2, "killed at step {at}");
        if !reached {
            break;
        }
    }
}
