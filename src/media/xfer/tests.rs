//! A stick and a spool: what is taken, what a crash leaves on either side.

use super::{Medium, Xfer};
use crate::disk::fault;
use crate::local::testing::TestNode;
use crate::media::{Options, Report};
use crate::spool::Xx;
use crate::spool::testing::{hash, packet_of};
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::niceness::Niceness;
use std::fs;
use std::path::PathBuf;

impl TestNode {
    fn xfer(&self) -> Xfer<'_> {
        let options = Options { delete: true, ..Options::default() };
        Xfer { local: &self.local, options, mkdir: true, takeback: false }
    }

    /// A directory on the stick, which is made if it is not there.
    fn shelf(&self, recipient: NodeId, sender: NodeId) -> PathBuf {
        let path = self.path("stick").join(recipient.to_string()).join(sender.to_string());
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn stick(&self) -> Medium {
        fs::create_dir_all(self.path("stick")).unwrap();
        Medium::open(&self.path("stick")).unwrap()
    }

    /// Puts a packet of bob's on the stick, under its name.
    fn put(&self, packet: &[u8]) -> PacketHash {
        let name = hash(packet);
        fs::write(self.shelf(self.own(), self.bob().id).join(name.to_string()), packet).unwrap();
        name
    }
}

/// The packets in a directory, all of which are whole.
fn whole(shelf: &PathBuf) -> Vec<PacketHash> {
    let names = fs::read_dir(shelf).unwrap().map(|entry| entry.unwrap().file_name());
    let packets = names.filter_map(|name| PacketHash::from_file_name(name.to_str()?));
    let packets: Vec<_> = packets.collect();
    for packet in &packets {
        assert_eq!(hash(&fs::read(shelf.join(packet.to_string())).unwrap()), *packet);
    }
    packets
}

#[test]
fn what_is_seen_there_damaged_or_too_nice_is_told_apart() {
    let node = TestNode::alice();
    let bob = node.bob().id;
    let [new, there, seen] = [b"new", b"old", b"saw"].map(|text| node.packet_of_bob(text));
    let nice = packet_of(bob, node.own(), 200, b"nice");
    for packet in [&new, &there, &seen, &nice] {
        node.put(packet);
    }
    let shelf = node.shelf(node.own(), bob);
    let damaged = PacketHash([9; 32]).to_string();
    fs::write(shelf.join(&damaged), node.packet_of_bob(b"damaged")).unwrap();
    fs::create_dir(shelf.join(PacketHash([8; 32]).to_string())).unwrap();
    let path = node.local.spool.packet(&bob, Xx::Rx, &hash(&there));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, &there).unwrap();
    node.local.spool.mark_seen(&bob, &hash(&seen)).unwrap();
    let mut xfer = node.xfer();
    xfer.options.nice = Niceness::from_wire(100).unwrap();
    let bytes = (new.len() + there.len()) as u64;
    let want = Report { packets: 2, bytes, there: 1, skipped: 2, failed: 2, ..Report::default() };
    assert_eq!(xfer.receive(&node.stick()).unwrap(), want);
    let mut held = node.held(Xx::Rx);
    held.sort_unstable();
    let mut wanted = [hash(&new), hash(&there)];
    wanted.sort_unstable();
    assert_eq!(held, wanted);
    assert_eq!(fs::read_dir(&shelf).unwrap().count(), 3, "too nice, damaged, a directory");
    xfer.options.delete = false;
    node.put(&new);
    assert_eq!(xfer.receive(&node.stick()).unwrap().there, 1);
    assert!(whole_or_damaged(&shelf, &damaged).contains(&hash(&new)), "kept");
}

fn whole_or_damaged(shelf: &PathBuf, damaged: &str) -> Vec<PacketHash> {
    fs::remove_file(shelf.join(damaged)).unwrap();
    fs::remove_dir(shelf.join(PacketHash([8; 32]).to_string())).unwrap();
    whole(shelf)
}

#[test]
fn stopped_at_any_step_a_packet_is_in_the_spool_or_on_the_stick() {
    fault::at_each_step(|fault, at| {
        let node = TestNode::alice();
        let stick = node.stick();
        let packets = [node.queue(b"one"), node.queue(&[2; 300_000])];
        let (report, reached) = fault::with(fault, at, || node.xfer().send(&stick));
        let shelf = node.shelf(node.bob().id, node.own());
        let (there, held) = (whole(&shelf), node.held(Xx::Tx));
        let is_safe = |packet| there.contains(packet) || held.contains(packet);
        assert!(packets.iter().all(is_safe), "{fault:?} at {at}");
        assert!(!report.is_complete() || held.is_empty(), "{fault:?} at {at}: {report:?}");
        assert!(node.xfer().send(&stick).is_complete());
        assert_eq!((whole(&shelf).len(), node.held(Xx::Tx).len()), (2, 0), "{fault:?} at {at}");
        assert_eq!(fs::read_dir(&shelf).unwrap().count(), 2, "nothing else is left");
        reached
    });
}

#[test]
fn stopped_at_any_step_a_packet_is_on_the_stick_or_in_the_spool() {
    fault::at_each_step(|fault, at| {
        let node = TestNode::alice();
        let packets = [b"one", b"two"].map(|payload| node.put(&node.packet_of_bob(payload)));
        let (_, reached) = fault::with(fault, at, || node.xfer().receive(&node.stick()));
        let there = whole(&node.shelf(node.own(), node.bob().id));
        let held = whole_in_spool(&node);
        let is_safe = |packet| there.contains(packet) || held.contains(packet);
        assert!(packets.iter().all(is_safe), "{fault:?} at {at}");
        assert!(node.xfer().receive(&node.stick()).unwrap().is_complete());
        assert_eq!(whole_in_spool(&node).len(), 2, "{fault:?} at {at}");
        reached
    });
}

fn whole_in_spool(node: &TestNode) -> Vec<PacketHash> {
    let jobs = node.local.spool.jobs(&node.bob().id, Xx::Rx).unwrap();
    for job in &jobs {
        assert_eq!(hash(&fs::read(job.path()).unwrap()), job.hash);
    }
    jobs.iter().map(|job| job.hash).collect()
}
