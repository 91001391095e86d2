//! Listings: their order, and what is no packet.

use super::*;
use crate::spool::Options;
use crate::spool::testing::{NODE, TestSpool, packet};
use std::time::{Duration, SystemTime};

fn age(path: &Path, seconds: u64) {
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

#[test]
fn w15_the_most_urgent_is_first_then_the_oldest() {
    let test = TestSpool::new();
    let late = test.add(Xx::Rx, 200, b"late");
    let early = test.add(Xx::Rx, 200, b"early");
    let urgent = test.add(Xx::Rx, 5, b"urgent");
    age(&test.spool.packet(&NODE, Xx::Rx, &early), 60);
    let jobs = test.spool.jobs(&NODE, Xx::Rx).unwrap();
    let order: Vec<_> = jobs.iter().map(|job| job.hash).collect();
    assert_eq!(order, [urgent, early, late]);
}

#[test]
fn w14_a_header_copy_is_not_believed_but_set_right() {
    let test = TestSpool::new();
    let hash = test.add(Xx::Tx, 5, b"payload");
    let hdr = test.spool.hdr(&NODE, Xx::Tx, &hash.to_string());
    let right = std::fs::read(&hdr).unwrap();
    for wrong in [&b"garbage"[..], b"", &packet(250, b"")[..], &packet(5, b"more")[..]] {
        std::fs::write(&hdr, wrong).unwrap();
        let jobs = test.spool.jobs(&NODE, Xx::Tx).unwrap();
        assert_eq!(jobs.len(), 1);
        assert_eq!(jobs[0].nice().get(), 5);
        assert_eq!(std::fs::read(&hdr).unwrap(), right, "{wrong:?}");
    }
    std::fs::remove_file(&hdr).unwrap();
    test.spool.jobs(&NODE, Xx::Tx).unwrap();
    assert_eq!(std::fs::read(&hdr).unwrap(), right, "made when it is missing");
}

#[test]
fn without_hdr_none_is_written() {
    let test = TestSpool::with(Options { hdr: false, ..Options::default() });
    test.add(Xx::Tx, 5, b"payload");
    assert_eq!(test.spool.jobs(&NODE, Xx::Tx).unwrap().len(), 1);
    assert!(test.files().iter().all(|file| !file.contains("hdr")));
}

#[test]
fn w19_what_is_no_packet_is_left_out() {
    let test = TestSpool::new();
    let hash = test.add(Xx::Rx, 5, b"payload");
    let named = |i: u8| test.spool.packet(&NODE, Xx::Rx, &PacketHash([i; 32]));
    let mode = Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(CWD, named(1), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    std::os::unix::fs::symlink(test.spool.packet(&NODE, Xx::Rx, &hash), named(2)).unwrap();
    std::fs::create_dir(named(3)).unwrap();
    std::fs::write(named(4), b"").unwrap();
    std::fs::write(named(5), [b'x'; 500]).unwrap();
    std::fs::write(named(6), &packet(5, b"")[..171]).unwrap();
    for name in ["README", "x.lock"] {
        std::fs::write(test.spool.dir(&NODE, Xx::Rx).join(name), packet(5, b"")).unwrap();
    }
    let listing = test.spool.listing(&NODE, Xx::Rx).unwrap();
    assert_eq!(listing.jobs.iter().map(|job| job.hash).collect::<Vec<_>>(), [hash]);
    assert_eq!(listing.bad.len(), 6);
}

#[test]
fn a_nock_file_is_no_job_and_a_part_is_neither() {
    let test = TestSpool::new();
    let hash = PacketHash([9; 32]);
    std::fs::create_dir_all(test.spool.dir(&NODE, Xx::Rx)).unwrap();
    std::fs::write(test.spool.unfinished(&NODE, &hash, Suffix::Nock), packet(5, b"")).unwrap();
    std::fs::write(test.spool.unfinished(&NODE, &hash, Suffix::Part), b"123").unwrap();
    assert!(test.spool.jobs(&NODE, Xx::Rx).unwrap().is_empty());
    assert_eq!(test.spool.nocks(&NODE).unwrap().jobs.len(), 1);
    assert_eq!(test.spool.nock(&NODE, &hash).unwrap().unwrap().hash, hash);
    assert!(test.spool.nock(&NODE, &PacketHash([8; 32])).unwrap().is_none());
    assert_eq!(test.spool.parts(&NODE).unwrap(), [(hash, 3)]);
}

#[test]
fn a_name_with_stray_bits_is_a_packet_too() {
    let test = TestSpool::new();
    let hash = test.add(Xx::Rx, 5, b"payload");
    let path = test.spool.packet(&NODE, Xx::Rx, &hash);
    let name = hash.to_string();
    // The last letter of 32 bytes in base32 is A or Q; stray bits make it another.
    let stray = if name.ends_with('A') { "B" } else { "R" };
    std::fs::rename(&path, path.with_file_name(format!("{}{stray}", &name[..51]))).unwrap();
    let jobs = test.spool.jobs(&NODE, Xx::Rx).unwrap();
    assert_eq!((jobs.len(), jobs[0].hash), (1, hash));
    jobs[0].open().unwrap();
}

#[test]
fn no_directory_is_no_packets() {
    let test = TestSpool::new();
    assert!(test.spool.jobs(&NODE, Xx::Rx).unwrap().is_empty());
    assert_eq!(test.files(), [""; 0]);
}
