use super::super::entry::tests::{VAULT, entry};
use super::super::entry::{Handed, HandedBy};
use super::standing::Evidence;
use super::*;
use crate::disk::fault;
use crate::spool::testing::TestSpool;
use packmule_protocol::statement::Name;

fn ledger() -> (TestSpool, Ledger) {
    let test = TestSpool::new();
    let ledger = Ledger::new(&test.spool);
    (test, ledger)
}

/// Packets 0, 1, … with data of these times, queued in this order.
fn queue(ledger: &Ledger, data: &[i64]) -> Vec<Entry> {
    let queue = |(number, data): (u8, &i64)| {
        let mut entry = Entry { data: *data, queued: *data, ..entry(number) };
        ledger.add_line(&mut entry).unwrap();
        entry
    };
    (0..).zip(data).map(queue).collect()
}

fn settle(ledger: &Ledger, entry: &Entry, learned: i64) {
    let settling = Settling::from([(entry.id(), learned - 1)]);
    ledger.settle_lines(entry, &settling, learned, 77).unwrap();
}

fn standing_of(ledger: &Ledger) -> Standing {
    let mut standings = ledger.standings(&VAULT).unwrap();
    assert_eq!(standings.len(), 1);
    standings.remove(0)
}

/// Settles the packets of these numbers one after the other, at time 100; until when the backup is
/// proven after each.
fn check(data: &[i64], settled: &[usize], want: &[Option<i64>]) {
    let (_test, ledger) = ledger();
    let entries = queue(&ledger, data);
    assert_eq!(standing_of(&ledger).proven, None);
    let mut proven = Vec::new();
    for number in settled {
        settle(&ledger, &entries[*number], 100);
        proven.push(standing_of(&ledger).proven.map(|evidence| evidence.data));
    }
    assert_eq!(proven, want, "{data:?} {settled:?}");
}

#[test]
fn a_backup_is_proven_up_to_the_first_packet_that_is_missing() {
    check(&[10, 20, 30], &[0, 1, 2], &[Some(10), Some(20), Some(30)]);
    check(&[10, 20, 30], &[2, 1, 0], &[None, None, Some(30)]);
    check(&[10, 20, 30], &[0, 2, 1], &[Some(10), Some(10), Some(30)]);
    check(&[10, 20, 30], &[1, 0], &[None, Some(20)]);
    // One chunked file: all of the same time.
    check(&[10, 20, 20, 20], &[0, 1, 3, 2], &[Some(10), Some(10), Some(10), Some(20)]);
    // Older data queued later, younger data queued before them: nothing is younger than it is.
    check(&[30, 10, 20], &[1, 2, 0], &[None, None, Some(30)]);
    check(&[30, 10, 20], &[0, 2, 1], &[None, None, Some(30)]);
    check(&[5, 30, 10], &[0, 1, 2], &[Some(5), Some(5), Some(30)]);
    // Dated by a clock that was ahead when they were queued: they prove nothing.
    check(&[10, 500, 20], &[0, 1, 2], &[Some(10), Some(10), Some(20)]);
    check(&[10, 500, 20], &[0, 2], &[Some(10), Some(10)]);
}

#[test]
fn a_standing_tells_what_is_on_its_way() {
    let (_test, ledger) = ledger();
    let entries = queue(&ledger, &[10, 20, 30]);
    settle(&ledger, &entries[1], 100);
    let standing = standing_of(&ledger);
    let evidence = None;
    let want = Standing {
        backup: "photos".to_owned(),
        since: 10,
        open: 2,
        bytes: 2468,
        oldest: Some(10),
        proven: evidence,
        ahead: Some(20),
        failed: 0,
        damaged: false,
    };
    assert_eq!(standing, want);
    settle(&ledger, &entries[0], 110);
    let evidence =
        Evidence { data: 20, applied: 99, learned: 100, statement: 77, packet: entries[1].id() };
    assert_eq!(standing_of(&ledger).proven, Some(evidence));
    settle(&ledger, &entries[1], 200);
    assert_eq!(standing_of(&ledger).proven, Some(evidence), "repeats change nothing");
}

#[test]
fn ages_are_by_our_clock_and_never_too_young() {
    let evidence = |data, learned| {
        let packet = PacketHash([1; 32]);
        Some(Evidence { data, applied: 0, learned, statement: 1, packet })
    };
    for (proven, now, want) in [
        (evidence(1000, 2000), 5000, Some(4000)),
        (evidence(1000, 2000), 1900, Some(900)),
        (evidence(1000, 2000), 1699, None),
        (evidence(9000, 2000), 5000, None),
        (evidence(1000, 9000), 5000, None),
        (None, 5000, Some(4990)),
        (None, 9, Some(0)),
        (None, -400, None),
    ] {
        let standing = Standing { since: 10, proven, ..Standing::default() };
        assert_eq!(standing.age(now), want, "{proven:?} {now}");
        assert_eq!(Standing { damaged: true, ..standing }.age(now), None);
    }
}

#[test]
fn what_was_never_published_does_not_count() {
    let (_test, ledger) = ledger();
    let entries = queue(&ledger, &[10, 20]);
    settle(&ledger, &entries[1], 100);
    ledger.drop_line(&entries[0]).unwrap();
    let standing = standing_of(&ledger);
    assert_eq!((standing.open, standing.proven.unwrap().data), (0, 20));
    settle(&ledger, &entries[0], 100);
    assert_eq!(standing_of(&ledger), standing);
}

#[test]
fn what_a_new_ledger_did_not_prove_is_void() {
    let (_test, ledger) = ledger();
    let entries = queue(&ledger, &[10, 20, 30]);
    settle(&ledger, &entries[0], 100);
    for _ in 0..2 {
        ledger.void_backups(&VAULT, 200).unwrap();
        let standing = standing_of(&ledger);
        assert_eq!((standing.proven, standing.open, standing.since), (None, 2, 200));
    }
    settle(&ledger, &entries[1], 300);
    assert_eq!(standing_of(&ledger).proven.unwrap().data, 20);
}

#[test]
fn packets_on_their_way_are_shown_with_the_medium_they_are_on() {
    let (_test, ledger) = ledger();
    let mut entries = queue(&ledger, &[10, 20]);
    let medium = (Name([5; 16]), 7);
    entries[1].note_handed(Handed { at: 50, by: HandedBy::Medium, medium: Some(medium) });
    ledger.touch_line(&entries[1]).unwrap();
    // A hint that leads nowhere.
    entries[0].line = 99;
    entries[0].note_handed(Handed { at: 40, by: HandedBy::Call, medium: None });
    ledger.touch_line(&entries[0]).unwrap();
    let mut seen = Vec::new();
    let look = |open: Open| {
        seen.push((open.packet, open.word, open.medium));
        Ok(())
    };
    ledger.each_open(&VAULT, look).unwrap();
    let want =
        [(entries[0].id(), 40, None), (entries[1].id(), 50, Some((tag(&medium.0), medium.1)))];
    assert_eq!(seen, want);
}

#[test]
fn useless_lines_go_and_nothing_changes() {
    let (_test, ledger) = ledger();
    let mut first = entry(0);
    ledger.add_line(&mut first).unwrap();
    let path = ledger.backup_path(&VAULT, &first);
    let mut text = std::fs::read(&path).unwrap();
    let id = |number: u64| PacketHash(blake2b_256(&number.to_be_bytes()));
    for number in 0..10_000 {
        let applied = 3 + i64::try_from(number).unwrap();
        let state = State::Settled { applied, learned: 99_000, statement: 1 };
        let state = if number % 3 == 0 { State::Dropped } else { state };
        let state = if number == 9990 {
            State::Open { queued: 5, word: 5, medium: None, failed: false }
        } else {
            state
        };
        let data = 991 + i64::try_from(number).unwrap();
        text.extend(Line { data, size: 1, id: text_id(&id(number)), state }.to_bytes());
    }
    std::fs::write(&path, text).unwrap();
    settle(&ledger, &first, 2000);
    let standing = standing_of(&ledger);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 128 * 9, "a header, a proof, 1 + 6");
    assert_eq!((standing.open, standing.proven.unwrap().data), (1, 991 + 9989));
    assert_eq!(standing.ahead, Some(991 + 9998));
}

#[test]
fn torn_and_damaged_files_prove_nothing() {
    let (_test, ledger) = ledger();
    let mut entries = queue(&ledger, &[10, 20]);
    settle(&ledger, &entries[0], 100);
    let path = ledger.backup_path(&VAULT, &entries[0]);
    let whole = std::fs::read(&path).unwrap();
    for torn in [1, 64, 127] {
        std::fs::write(&path, &whole[..whole.len() - torn]).unwrap();
        assert_eq!(standing_of(&ledger).open, 0, "its packet was not published");
        entries[1].line = 7;
        ledger.add_line(&mut entries[1]).unwrap();
        assert_eq!((entries[1].line, std::fs::read(&path).unwrap() == whole), (1, true));
    }
    let mut altered = whole.clone();
    altered[128 + 3] = b'x';
    std::fs::write(&path, &altered).unwrap();
    assert!(standing_of(&ledger).damaged);
    for content in [&b""[..], b"{}", &[b'{'; 5000], &whole[1..]] {
        std::fs::write(&path, content).unwrap();
        assert!(ledger.standings(&VAULT).is_err(), "{content:?}");
    }
}

#[test]
fn names_of_backups_are_data() {
    let (_test, ledger) = ledger();
    for name in ["../../x", "a/b", "", "\0\n\u{1f}", &"n".repeat(1000)] {
        let mut entry = Entry { backup: name.to_owned(), ..entry(1) };
        ledger.add_line(&mut entry).unwrap();
    }
    let names: Vec<_> =
        ledger.standings(&VAULT).unwrap().into_iter().map(|standing| standing.backup).collect();
    assert_eq!(names, ["\0\n\u{1f}", "../../x", "a/b", &"n".repeat(1000), ""]);
}

#[test]
fn stopped_at_any_step_nothing_is_proven_that_is_not_settled() {
    fault::at_each_step(|fault, at| {
        let (_test, ledger) = ledger();
        let entries = queue(&ledger, &[10, 20]);
        settle(&ledger, &entries[0], 100);
        let work = || {
            let mut third = Entry { data: 30, ..entry(3) };
            ledger.add_line(&mut third)?;
            let settling = Settling::from([(entries[1].id(), 1)]);
            ledger.settle_lines(&entries[1], &settling, 100, 78)?;
            ledger.void_backups(&VAULT, 200)
        };
        let (worked, reached) = fault::with(fault, at, work);
        let standing = standing_of(&ledger);
        let proven = standing.proven.map(|evidence| evidence.data);
        assert!(proven.is_none() || proven <= Some(20) && !standing.damaged, "{fault:?} at {at}");
        assert!(worked.is_err() || (proven, standing.open) == (None, 1), "{fault:?} at {at}");
        reached
    });
}
