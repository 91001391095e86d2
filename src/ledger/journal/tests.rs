use super::*;
use crate::disk::fault::{self, Fault};
use crate::spool::testing::{NODE, TestSpool};

const SEGMENT: u64 = 4096;
const SEGMENTS_MAX: usize = 25;

fn name(number: u64) -> PacketHash {
    PacketHash(packmule_protocol::id::blake2b_256(&number.to_be_bytes()))
}

fn done(number: u64) -> Receipt {
    Receipt { packet: name(number), at: 5, outcome: Outcome::Done { again: false } }
}

fn append(ledger: &Ledger, numbers: std::ops::Range<u64>) -> Result<()> {
    ledger.journal(&NODE).append(&numbers.map(done).collect::<Vec<_>>())
}

fn is_done(ledger: &Ledger, number: u64) -> bool {
    ledger.journal(&NODE).is_done(&name(number)).unwrap()
}

#[test]
fn receipts_are_numbered_and_found() {
    let test = TestSpool::new();
    let ledger = Ledger::new(&test.spool);
    let journal = ledger.journal(&NODE);
    assert_eq!(journal.position().unwrap(), 0);
    assert!(!is_done(&ledger, 0) && !ledger.exists(), "looking creates nothing");
    append(&ledger, 0..3).unwrap();
    append(&ledger, 3..5).unwrap();
    assert_eq!(journal.position().unwrap(), 5);
    let (slice, receipts) = journal.slice(2, 99).unwrap();
    assert_eq!(slice, Slice { first: 1, after: 2, upto: 5 });
    assert_eq!(receipts, [done(2), done(3), done(4)]);
    assert_eq!(journal.slice(0, 2).unwrap().0.upto, 2);
    assert_eq!(journal.slice(99, 2).unwrap().0, Slice { first: 1, after: 5, upto: 5 });
    assert!(journal.owes(&name(4), 4).unwrap() && !journal.owes(&name(4), 5).unwrap());
    assert!(is_done(&ledger, 4) && !is_done(&ledger, 5));
}

#[test]
fn only_what_is_done_counts_as_done() {
    let test = TestSpool::new();
    let ledger = Ledger::new(&test.spool);
    let failed = Outcome::Failed { reason: "exit status 3".to_owned(), tries: 5, dropped: false };
    let receipts = [(1, Outcome::Got), (2, failed), (3, Outcome::Done { again: true })]
        .map(|(number, outcome)| Receipt { packet: name(number), at: 0, outcome });
    ledger.journal(&NODE).append(&receipts).unwrap();
    assert_eq!([1, 2, 3].map(|number| is_done(&ledger, number)), [false, false, true]);
    assert_eq!(ledger.journal(&NODE).slice(0, 9).unwrap().1, receipts);
}

#[test]
fn names_outlive_their_receipts() {
    let test = TestSpool::new();
    let ledger = Ledger::new(&test.spool);
    append(&ledger, 0..9000).unwrap();
    append(&ledger, 9000..9001).unwrap();
    let journal = ledger.journal(&NODE);
    assert_eq!(journal.position().unwrap(), 9001);
    assert_eq!(journal.segments().unwrap().len(), 3);
    journal.trim(9001).unwrap();
    assert_eq!(journal.segments().unwrap().len(), 1);
    assert_eq!(journal.position().unwrap(), 9001);
    assert!(journal.slice(0, 1).unwrap().0.first > 8000);
    let mut journal = ledger.journal(&NODE);
    for number in (0..9001).step_by(97) {
        assert!(journal.is_done(&name(number)).unwrap(), "{number}");
        assert!(!journal.is_done(&name(number + 20_000)).unwrap());
    }
}

#[test]
fn the_oldest_receipts_make_room() {
    let test = TestSpool::new();
    let ledger = Ledger::new(&test.spool);
    let dir = ledger.layout.journal_dir(&NODE);
    std::fs::create_dir_all(&dir).unwrap();
    for segment in 0..30 {
        std::fs::write(ledger.layout.segment(&NODE, 1 + segment * SEGMENT), b"").unwrap();
    }
    append(&ledger, 0..1).unwrap();
    let segments = ledger.journal(&NODE).segments().unwrap();
    assert_eq!((segments.len(), segments[0]), (SEGMENTS_MAX, 1 + 5 * SEGMENT));
}

#[test]
fn what_another_process_appends_is_seen() {
    let test = TestSpool::new();
    let ledger = Ledger::new(&test.spool);
    let mut early = ledger.journal(&NODE);
    assert!(!early.is_done(&name(1)).unwrap());
    append(&ledger, 0..5000).unwrap();
    assert!(early.is_done(&name(1)).unwrap() && early.is_done(&name(4999)).unwrap());
    append(&ledger, 5000..9000).unwrap();
    assert!(early.is_done(&name(4999)).unwrap() && early.is_done(&name(8999)).unwrap());
    early.append(&[done(9000)]).unwrap();
    assert_eq!(ledger.journal(&NODE).position().unwrap(), 9001);
}

#[test]
fn torn_and_damaged_lines_are_passed_over() {
    let test = TestSpool::new();
    let ledger = Ledger::new(&test.spool);
    append(&ledger, 0..4).unwrap();
    let path = ledger.layout.segment(&NODE, 1);
    let mut bytes = std::fs::read(&path).unwrap();
    let line = bytes.len() / 4;
    bytes[line + 5..2 * line - 1].fill(0xff);
    bytes.extend_from_slice(b"{\"r\":\"do");
    std::fs::write(&path, bytes).unwrap();
    let journal = ledger.journal(&NODE);
    assert_eq!(journal.position().unwrap(), 4);
    let (slice, receipts) = journal.slice(0, 9).unwrap();
    assert_eq!((slice.upto, receipts), (4, vec![done(0), done(2), done(3)]));
    append(&ledger, 7..8).unwrap();
    assert_eq!(journal.slice(4, 9).unwrap().1, [done(7)]);
    std::fs::write(&path, vec![b'['; 1 << 20]).unwrap();
    assert_eq!(ledger.journal(&NODE).position().unwrap(), 0);
    assert!(!is_done(&ledger, 7));
}

#[test]
fn stopped_at_any_step_a_receipt_that_was_reported_stays() {
    fault::at_each_step(|fault, at| {
        let test = TestSpool::new();
        let ledger = Ledger::new(&test.spool);
        // The next receipt begins a segment, after a merge.
        append(&ledger, 0..SEGMENT).unwrap();
        let (appended, reached) = fault::with(fault, at, || append(&ledger, 5000..5003));
        let there = (5000..5003).filter(|number| is_done(&ledger, *number)).count();
        assert!((0..SEGMENT).step_by(501).all(|number| is_done(&ledger, number)));
        match fault {
            _ if appended.is_ok() => assert_eq!(there, 3, "{fault:?} at {at}"),
            Fault::Kill => {}
            Fault::Fail(_) => assert_eq!(there, 0, "{fault:?} at {at}: taken back"),
        }
        append(&ledger, 6000..6001).unwrap();
        let position = ledger.journal(&NODE).position().unwrap();
        assert_eq!(position, SEGMENT + there as u64 + 1, "{fault:?} at {at}");
        reached
    });
}
