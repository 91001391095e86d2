use super::super::entry::HandedBy;
use super::super::entry::tests::{RELAY, VAULT, entry};
use super::*;
use crate::disk::fault::{self, Fault};
use crate::spool::testing::{TestSpool, packet};
use packmule_protocol::id::blake2b_256;
use std::io::Write;

const HANDED: Handed = Handed { at: 2000, by: HandedBy::Call, medium: None };

fn ledger() -> (TestSpool, Ledger) {
    let test = TestSpool::new();
    let ledger = Ledger::new(&test.spool);
    (test, ledger)
}

/// Queues a packet for the vault over the relay, as commands do.
fn queue(ledger: &Ledger, payload: &[u8]) -> Result<Entry> {
    let mut pending = ledger.spool.pending()?;
    pending.write_all(&packet(5, payload)).expect("gathered in memory");
    let finished = pending.finish()?;
    let id = PacketHash(blake2b_256(payload));
    let entry = Entry { stations: vec![(RELAY, finished.hash()), (VAULT, id)], ..entry(1) };
    let following = ledger.follow(&VAULT, vec![entry.clone()])?;
    finished.publish(&RELAY, Xx::Tx, None)?;
    following.published()?;
    Ok(entry)
}

fn hand_over(ledger: &Ledger, entry: &Entry) -> Result<bool> {
    ledger.hand_over(&RELAY, &entry.hop().1, HANDED)
}

fn done(packet: PacketHash) -> Receipt {
    Receipt { packet, at: 3000, outcome: Outcome::Done { again: false } }
}

fn settle(ledger: &Ledger, by: &NodeId, receipt: Receipt) -> Result<Settled> {
    ledger.settle(by, &[receipt], 7, 4000)
}

/// Packets on their way, and whether the backup is proven.
fn standing(ledger: &Ledger) -> (u64, bool) {
    let standings = ledger.standings(&VAULT).unwrap();
    standings.first().map_or((0, false), |one| (one.open, one.proven.is_some()))
}

#[test]
fn a_packet_is_followed_under_each_of_its_names() {
    let (test, ledger) = ledger();
    let entry = queue(&ledger, b"payload").unwrap();
    for (node, name) in &entry.stations {
        let found = ledger.find(node, name).unwrap().unwrap();
        assert_eq!(found.stations, entry.stations);
    }
    assert_eq!(ledger.find(&VAULT, &entry.hop().1).unwrap(), None);
    assert_eq!(ledger.find(&RELAY, &entry.id()).unwrap(), None);
    assert_eq!((standing(&ledger), ledger.place(&entry)), ((1, false), Place::Tx));
    assert!(hand_over(&ledger, &entry).unwrap());
    assert_eq!(ledger.place(&entry), Place::Held);
    assert!(!test.spool.holds(&RELAY, Xx::Tx, &entry.hop().1));
    let found = ledger.find(&VAULT, &entry.id()).unwrap().unwrap();
    assert_eq!(found.handed, [HANDED]);
    assert!(ledger.offer(&found).unwrap() && !ledger.offer(&found).unwrap());
    assert_eq!(ledger.place(&entry), Place::Tx);
    let settled = settle(&ledger, &VAULT, done(entry.id())).unwrap();
    assert_eq!(settled.done, [entry.id()]);
    assert_eq!((standing(&ledger), ledger.place(&entry)), ((0, true), Place::Gone));
    assert_eq!(settle(&ledger, &VAULT, done(entry.id())).unwrap(), Settled::default());
    let left: Vec<_> = test.files().into_iter().filter(|file| !file.ends_with("/busy")).collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].starts_with(".packmule/backups/"), "{left:?}");
}

#[test]
fn a_packet_that_is_not_followed_is_left_to_the_caller() {
    let (test, ledger) = ledger();
    let hash = test.add(Xx::Tx, 5, b"payload");
    let node = crate::spool::testing::NODE;
    assert!(!ledger.hand_over(&node, &hash, HANDED).unwrap());
    assert!(test.spool.holds(&node, Xx::Tx, &hash) && !ledger.exists());
}

#[test]
fn only_its_destination_settles_a_packet() {
    let (_test, ledger) = ledger();
    let entry = queue(&ledger, b"payload").unwrap();
    let (relay, vault) = (entry.hop().1, entry.id());
    let got = |packet| Receipt { outcome: Outcome::Got, ..done(packet) };
    for (by, receipt) in [
        (RELAY, done(vault)),
        (NodeId([9; 32]), done(vault)),
        (VAULT, done(relay)),
        (RELAY, done(relay)),
        (VAULT, got(vault)),
    ] {
        assert_eq!(settle(&ledger, &by, receipt).unwrap(), Settled::default());
        assert_eq!((standing(&ledger), ledger.place(&entry)), ((1, false), Place::Tx));
    }
    let got = ledger.find(&VAULT, &vault).unwrap().unwrap().got;
    assert_eq!(got, [(RELAY, 4000), (VAULT, 4000)]);
}

#[test]
fn what_we_pass_on_is_settled_when_the_next_node_has_it() {
    let (_test, ledger) = ledger();
    let mut passed = entry(1);
    passed.kind = Kind::Passed;
    ledger.follow(&VAULT, vec![passed.clone()]).unwrap().published().unwrap();
    let receipt = Receipt { outcome: Outcome::Got, ..done(passed.id()) };
    assert_eq!(settle(&ledger, &VAULT, receipt).unwrap().done, [passed.id()]);
}

#[test]
fn a_failed_packet_stays_and_says_why() {
    let (_test, ledger) = ledger();
    let entry = queue(&ledger, b"payload").unwrap();
    let reason = "exit status 3".to_owned();
    let outcome = Outcome::Failed { reason: reason.clone(), tries: 5, dropped: false };
    let receipt = Receipt { outcome, ..done(entry.id()) };
    let settled = settle(&ledger, &VAULT, receipt).unwrap();
    assert_eq!((settled.failed, standing(&ledger)), (vec![entry.id()], (1, false)));
    let last = ledger.find(&VAULT, &entry.id()).unwrap().unwrap().last;
    assert_eq!(last, Some(Word { by: VAULT, at: 4000, failed: true, reason }));
    assert!(ledger.forget(&VAULT, &entry.id()).unwrap());
    assert!(!ledger.forget(&VAULT, &entry.id()).unwrap());
    assert_eq!((standing(&ledger), ledger.place(&entry)), ((0, false), Place::Gone));
}

#[test]
fn the_same_packet_is_followed_once() {
    let (_test, ledger) = ledger();
    let entry = queue(&ledger, b"payload").unwrap();
    hand_over(&ledger, &entry).unwrap();
    queue(&ledger, b"payload").unwrap();
    assert_eq!((standing(&ledger), ledger.place(&entry)), ((1, false), Place::Tx));
    assert!(hand_over(&ledger, &entry).unwrap());
    assert_eq!(ledger.find(&VAULT, &entry.id()).unwrap().unwrap().handed.len(), 2);
}

#[test]
fn stopped_at_any_step_of_queueing_a_packet_is_followed_or_not_there() {
    fault::at_each_step(|fault, at| {
        let (test, ledger) = ledger();
        let (queued, reached) = fault::with(fault, at, || queue(&ledger, b"payload"));
        let jobs = test.spool.jobs(&RELAY, Xx::Tx).unwrap();
        // Another command hands it over before anybody tidies up, or not.
        for tidy in [at % 2 == 0, true] {
            if tidy {
                ledger.tidy(&VAULT).unwrap();
            }
            let found = ledger.find(&VAULT, &PacketHash(blake2b_256(b"payload"))).unwrap();
            assert_eq!(found.is_some(), jobs.len() == 1, "{fault:?} at {at}");
            assert!(queued.is_err() || found.is_some(), "{fault:?} at {at}");
        }
        assert_eq!(standing(&ledger).0, jobs.len() as u64, "{fault:?} at {at}");
        if let Some(job) = jobs.first() {
            assert!(ledger.hand_over(&RELAY, &job.hash, HANDED).unwrap(), "{fault:?} at {at}");
        } else {
            let left = test.files();
            let names = left.iter().any(|file| file.contains("/names/") || file.contains("/new/"));
            assert!(!names, "{fault:?} at {at}: {left:?}");
        }
        reached
    });
}

#[test]
fn stopped_at_any_step_of_handing_over_the_bytes_are_kept() {
    fault::at_each_step(|fault, at| {
        let (_test, ledger) = ledger();
        let entry = queue(&ledger, b"payload").unwrap();
        let (handed, reached) = fault::with(fault, at, || hand_over(&ledger, &entry));
        let place = ledger.place(&entry);
        assert!(place != Place::Gone && (handed.is_err() || place == Place::Held), "{at}");
        let found = ledger.find(&VAULT, &entry.id()).unwrap().unwrap();
        let (offered, _) = fault::with(fault, at, || ledger.offer(&found));
        assert!(ledger.place(&entry) != Place::Gone, "{fault:?} at {at}");
        assert!(offered.is_err() || ledger.place(&entry) == Place::Tx, "{fault:?} at {at}");
        assert!(hand_over(&ledger, &entry).unwrap());
        assert_eq!((ledger.place(&entry), standing(&ledger)), (Place::Held, (1, false)));
        reached
    });
}

#[test]
fn stopped_at_any_step_of_settling_nothing_goes_that_is_not_proven() {
    fault::at_each_step(|fault, at| {
        let (test, ledger) = ledger();
        let entry = queue(&ledger, b"payload").unwrap();
        hand_over(&ledger, &entry).unwrap();
        let work = || settle(&ledger, &VAULT, done(entry.id()));
        let (settled, reached) = fault::with(fault, at, work);
        let kept = ledger.place(&entry) == Place::Held;
        let proven = standing(&ledger).1;
        assert!(kept || proven, "{fault:?} at {at}");
        assert!(settled.is_err() || proven && !kept, "{fault:?} at {at}");
        settle(&ledger, &VAULT, done(entry.id())).unwrap();
        assert_eq!((ledger.place(&entry), standing(&ledger)), (Place::Gone, (0, true)));
        assert_eq!(ledger.find(&VAULT, &entry.id()).unwrap(), None);
        let left = test.files();
        assert!(fault == Fault::Kill || !left.iter().any(|file| file.starts_with("tmp/")));
        reached
    });
}

#[test]
fn hostile_files_are_no_packets() {
    let (_test, ledger) = ledger();
    let entry = queue(&ledger, b"payload").unwrap();
    let (relay, vault) = (entry.hop().1, entry.id());
    for content in [&b""[..], b"\xff\n", b"../../x y\n", &[b'A'; 4096]] {
        std::fs::write(ledger.layout.name(&relay), content).unwrap();
        assert_eq!(ledger.find(&RELAY, &relay).unwrap(), None);
    }
    // Another packet's entry under this name.
    let path = ledger.layout.entry(&VAULT, &vault);
    std::fs::write(&path, self::entry(9).to_bytes()).unwrap();
    assert_eq!(ledger.find(&VAULT, &vault).unwrap(), None);
    std::fs::write(ledger.layout.new_entry(&VAULT, &vault), "[[[").unwrap();
    ledger.tidy(&VAULT).unwrap();
    assert!(!ledger.layout.new_entry(&VAULT, &vault).exists());
}
