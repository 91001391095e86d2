use super::super::backups::Standing;
use super::super::entry::tests::{RELAY, VAULT, entry};
use super::super::entry::{Handed, HandedBy};
use super::*;
use crate::disk::fault;
use crate::spool::Xx;
use crate::spool::testing::{TestSpool, packet};
use packmule_protocol::statement::{
    Have, MediumRead, Name, Need, Outcome, Receipt, Slice, Waiting,
};

const A: LedgerId = Name([1; 16]);
const B: LedgerId = Name([2; 16]);
const BLUE: MediumId = Name([9; 16]);

fn ledger() -> (TestSpool, Ledger) {
    let test = TestSpool::new();
    let ledger = Ledger::new(&test.spool);
    (test, ledger)
}

/// A packet for the vault that left on the stick blue in session 7.
fn sent(ledger: &Ledger, number: u8) -> Entry {
    let entry = Entry { data: number.into(), queued: number.into(), ..entry(number) };
    let (hop, name) = entry.hop();
    let path = ledger.spool.packet(&hop, Xx::Tx, &name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let following = ledger.follow(&VAULT, vec![entry.clone()]).unwrap();
    std::fs::write(path, packet(5, &[number])).unwrap();
    following.published().unwrap();
    let handed = Handed { at: 100, by: HandedBy::Medium, medium: Some((BLUE, 7)) };
    assert!(ledger.hand_over(&hop, &name, handed).unwrap());
    entry
}

fn said(ledger: LedgerId, number: u64, done: &[&Entry]) -> Statement {
    let receipt = |entry: &&Entry| Receipt {
        packet: entry.id(),
        at: 150,
        outcome: Outcome::Done { again: false },
    };
    let head = Head { ledger, number, ..Head::default() };
    Statement { head, receipts: done.iter().map(receipt).collect(), ..Statement::default() }
}

fn accept(ledger: &Ledger, statement: &Statement) -> Accepted {
    ledger.accept(&VAULT, statement, 200).unwrap()
}

fn believed(ledger: &Ledger, statement: &Statement) -> Believed {
    match accept(ledger, statement) {
        Accepted::Believed(believed) => believed,
        other => panic!("{other:?}"),
    }
}

fn standing(ledger: &Ledger) -> Standing {
    ledger.standings(&VAULT).unwrap().remove(0)
}

/// All files of the ledger with their content.
fn content(test: &TestSpool) -> Vec<(String, Vec<u8>)> {
    let files = test.files().into_iter();
    files.map(|file| (file.clone(), std::fs::read(test.path(&file)).unwrap())).collect()
}

#[test]
fn statements_that_were_overtaken_change_nothing() {
    let (test, ledger) = ledger();
    let entries: Vec<_> = (1..5).map(|number| sent(&ledger, number)).collect();
    let all: Vec<_> = (1..4)
        .map(|number| said(A, number, &[&entries[usize::try_from(number).unwrap()]]))
        .collect();
    believed(&ledger, &all[1]);
    believed(&ledger, &all[2]);
    let before = content(&test);
    for _ in 0..20 {
        for statement in &all {
            assert_eq!(accept(&ledger, statement), Accepted::Old);
        }
    }
    assert_eq!(content(&test), before);
}

#[test]
fn a_partner_that_was_set_up_anew_has_proven_nothing() {
    let (_test, ledger) = ledger();
    let (first, second) = (sent(&ledger, 1), sent(&ledger, 2));
    believed(&ledger, &said(A, 1, &[&first]));
    assert!(standing(&ledger).proven.is_some());
    let anew = believed(&ledger, &said(B, 2, &[]));
    assert_eq!((anew.anew, anew.offered), (true, Offers::from([(Why::Anew, 1)])));
    assert_eq!(ledger.place(&second), Place::Tx);
    assert_eq!(standing(&ledger).proven, None);
    assert_eq!(accept(&ledger, &said(A, 2, &[&second])), Accepted::Old);
    believed(&ledger, &said(B, 3, &[&second]));
    assert_eq!(standing(&ledger).proven.unwrap().packet, second.id());
}

#[test]
fn of_two_that_claim_to_be_the_partner_neither_is_believed() {
    let (_test, ledger) = ledger();
    let entry = sent(&ledger, 1);
    believed(&ledger, &said(A, 10, &[]));
    assert_eq!(accept(&ledger, &said(B, 5, &[&entry])), Accepted::Conflict);
    assert_eq!(accept(&ledger, &said(A, 11, &[&entry])), Accepted::Conflict);
    assert_eq!(accept(&ledger, &said(B, 12, &[&entry])), Accepted::Conflict);
    assert_eq!(standing(&ledger).proven, None);
    assert_eq!(ledger.heard(&VAULT).unwrap().unwrap().claim, Some(B));
    assert!(!ledger.decide(&RELAY, B, 200).unwrap());
    assert!(ledger.decide(&VAULT, B, 200).unwrap());
    assert!(!ledger.decide(&VAULT, B, 200).unwrap());
    assert_eq!(ledger.place(&entry), Place::Tx);
    believed(&ledger, &said(B, 12, &[&entry]));
    assert_eq!(standing(&ledger).open, 0);
    assert_eq!(accept(&ledger, &said(A, 11, &[])), Accepted::Old);
    assert_eq!(accept(&ledger, &said(A, 13, &[])), Accepted::Conflict);
}

#[test]
fn a_partner_that_knows_more_of_us_than_we_wrote_makes_us_a_new_ledger() {
    let have = |ledger, upto, number| Some(Have { ledger, upto, number });
    for (upto, number, renewed, left) in
        [(2, 50, false, 1), (4, 50, true, 1), (2, 51, true, 1), (u64::MAX, 0, true, 1)]
    {
        let (_test, ledger) = ledger();
        let own = ledger.next_number(50).unwrap();
        let receipt =
            |number| Receipt { packet: PacketHash([number; 32]), at: 0, outcome: Outcome::Got };
        ledger.journal(&VAULT).append(&[receipt(1), receipt(2), receipt(3)]).unwrap();
        let mut statement = said(A, 1, &[]);
        statement.head.have = have(own.ledger, upto, number);
        assert_eq!(believed(&ledger, &statement).renewed, renewed, "{upto} {number}");
        let now = ledger.identity().unwrap().unwrap();
        assert_eq!(now.ledger != own.ledger, renewed);
        let theirs = ledger.heard(&VAULT).unwrap().unwrap().theirs;
        assert_eq!(theirs, if renewed { 0 } else { upto });
        assert_eq!(ledger.journal(&VAULT).slice(0, 9).unwrap().0.first, left);
    }
}

#[test]
fn evidence_brings_packets_back_and_nothing_else_does() {
    let (_test, ledger) = ledger();
    let entries: Vec<_> = (1..4).map(|number| sent(&ledger, number)).collect();
    let mut statement = said(A, 1, &[]);
    statement.lists.whole = true;
    assert_eq!(believed(&ledger, &statement).offered, Offers::new());
    let waiting = |entry: &Entry, needs| Waiting {
        packet: entry.id(),
        since: 1,
        reason: "waits".to_owned(),
        needs,
    };
    statement.head.number = 2;
    statement.lists.waiting =
        vec![waiting(&entries[0], Some(Need::Bytes)), waiting(&entries[1], None)];
    let media = MediumRead { medium: BLUE, name: "blue".to_owned(), session: 8, at: 1 };
    statement.lists.media = vec![media];
    let offered = believed(&ledger, &statement).offered;
    assert_eq!(offered, Offers::from([(Why::Needed, 1), (Why::Missed, 1)]));
    let places = entries.iter().map(|entry| ledger.place(entry)).collect::<Vec<_>>();
    assert_eq!(places, [Place::Tx, Place::Held, Place::Tx]);
    assert_eq!(ledger.offer_silent(&VAULT, 100, 300).unwrap(), Offers::new(), "it waits there");
    assert_eq!(ledger.offer_dead(Name([8; 16])).unwrap(), Offers::new());
    assert_eq!(ledger.offer_dead(BLUE).unwrap(), Offers::from([(Why::Dead, 1)]));
}

#[test]
fn silence_counts_once_the_destination_has_spoken() {
    let (_test, ledger) = ledger();
    let entry = sent(&ledger, 1);
    assert_eq!(ledger.offer_silent(&VAULT, 50, 9000).unwrap(), Offers::new());
    believed(&ledger, &said(A, 1, &[]));
    assert_eq!(ledger.offer_silent(&VAULT, 50, 150).unwrap(), Offers::new());
    assert_eq!(ledger.offer_silent(&VAULT, 50, 151).unwrap(), Offers::from([(Why::Silent, 1)]));
    assert!(ledger.offer_asked(&entry).unwrap(), "it waits to leave");
}

#[test]
fn numbers_of_a_hostile_partner_harm_nobody_but_it() {
    let (_test, ledger) = ledger();
    let most = u64::MAX;
    for (after, upto, first) in [(most, most, most), (0, most, most), (most, most, 0), (0, 0, most)]
    {
        let mut statement = said(A, 1, &[]);
        statement.head.slice = Slice { first, after, upto };
        statement.head.have = Some(Have { ledger: B, upto: most, number: most });
        ledger.accept(&RELAY, &statement, i64::MIN).unwrap();
        statement.head.number = most;
        ledger.accept(&RELAY, &statement, i64::MAX).unwrap();
        ledger.statements(&RELAY, packmule_protocol::statement::Lists::default(), &[], 1).unwrap();
        std::fs::remove_dir_all(ledger.spool.ledger_dir()).unwrap();
    }
}

#[test]
fn stopped_at_any_step_a_statement_is_accepted_again_to_the_same_end() {
    let outcome = |fault: Option<(fault::Fault, usize)>| {
        let (_test, ledger) = ledger();
        ledger.next_number(50).unwrap();
        let entries: Vec<_> = (1..4).map(|number| sent(&ledger, number)).collect();
        believed(&ledger, &said(A, 1, &[&entries[0]]));
        let mut statement = said(B, 2, &[&entries[1]]);
        statement.head.have = Some(Have { ledger: A, upto: 9, number: 9 });
        let mut reached = false;
        if let Some((fault, at)) = fault {
            let (_, was) = fault::with(fault, at, || ledger.accept(&VAULT, &statement, 200));
            reached = was;
            let proven = standing(&ledger).proven.map(|evidence| evidence.packet);
            assert!(proven.is_none_or(|packet| packet != entries[2].id()));
        }
        accept(&ledger, &statement);
        let places: Vec<_> = entries.iter().map(|entry| ledger.place(entry)).collect();
        (standing(&ledger), places, ledger.heard(&VAULT).unwrap(), reached)
    };
    let (standing, places, heard, _) = outcome(None);
    assert_eq!(places, [Place::Gone, Place::Gone, Place::Tx]);
    fault::at_each_step(|fault, at| {
        let (found, found_places, found_heard, reached) = outcome(Some((fault, at)));
        assert_eq!(found, standing, "{fault:?} at {at}");
        assert_eq!(found_places, places, "{fault:?} at {at}");
        assert_eq!(found_heard, heard, "{fault:?} at {at}");
        reached
    });
}
