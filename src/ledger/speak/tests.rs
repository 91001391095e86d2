use super::super::entry::tests::{RELAY, VAULT, entry};
use super::*;
use crate::spool::testing::TestSpool;
use packmule_protocol::id::{PacketHash, blake2b_256};
use packmule_protocol::statement::{Name, Outcome, Waiting};

const NOW: u64 = 1_764_543_210_000_000;

fn ledger() -> (TestSpool, Ledger) {
    let test = TestSpool::new();
    let ledger = Ledger::new(&test.spool);
    (test, ledger)
}

/// The vault has spoken.
fn hear(ledger: &Ledger) {
    let head = Head { ledger: Name([7; 16]), number: 5, ..Head::default() };
    ledger.accept(&VAULT, &Statement { head, ..Statement::default() }, 9).unwrap();
}

fn name(number: u64) -> PacketHash {
    PacketHash(blake2b_256(&number.to_be_bytes()))
}

fn say(ledger: &Ledger, lists: Lists) -> Vec<Statement> {
    let mut lists = lists;
    ledger.add_under_way(&VAULT, &mut lists).unwrap();
    let statements = ledger.statements(&VAULT, lists, &["pieces".to_owned()], NOW).unwrap();
    for statement in &statements {
        assert_eq!(Statement::from_bytes(&statement.to_bytes()).as_ref(), Ok(statement));
    }
    statements
}

fn waiting(number: u64) -> Waiting {
    Waiting { packet: name(number), since: 1, reason: "r".repeat(200), needs: None }
}

#[test]
fn a_node_that_never_spoke_gets_the_head_and_the_sum() {
    let (_test, ledger) = ledger();
    let entries = (0..200).map(|number| {
        let stations = vec![(RELAY, name(number)), (VAULT, name(1000 + number))];
        crate::ledger::Entry { stations, queued: 50, ..entry(1) }
    });
    ledger.follow(&VAULT, entries.collect()).unwrap().published().unwrap();
    let lists = Lists { whole: true, waiting: vec![waiting(1)], ..Lists::default() };
    let said = say(&ledger, lists);
    assert_eq!(said.len(), 1);
    assert!(said[0].to_bytes().len() <= UNKNOWN_PARTNER_MAX);
    let sum = Sum { packets: 200, bytes: 200 * 1234, oldest: 50 };
    assert_eq!(said[0].lists, Lists { sum: Some(sum), ..Lists::default() });
    assert_eq!((said[0].head.have, said[0].head.number), (None, NOW));
    hear(&ledger);
    let said = say(&ledger, Lists { whole: true, ..Lists::default() });
    assert_eq!((said[0].lists.under_way.len(), said[0].head.number), (200, NOW + 1));
    let have = Have { ledger: Name([7; 16]), upto: 0, number: 5 };
    assert_eq!(said[0].head.have, Some(have));
}

#[test]
fn many_receipts_make_several_statements_and_the_last_has_the_lists() {
    let (_test, ledger) = ledger();
    hear(&ledger);
    let receipt = |number| {
        let reason = "x".repeat(200);
        let outcome = match number % 2 {
            0 => Outcome::Done { again: false },
            _ => Outcome::Failed { reason, tries: 1, dropped: false },
        };
        Receipt { packet: name(number), at: 1, outcome }
    };
    let receipts: Vec<_> = (0..9000).map(receipt).collect();
    ledger.journal(&VAULT).append(&receipts).unwrap();
    let lists = Lists { whole: true, waiting: vec![waiting(1)], ..Lists::default() };
    let said = say(&ledger, lists.clone());
    assert!(said.len() > 1);
    let mut after = 0;
    for (index, statement) in said.iter().enumerate() {
        let slice = statement.head.slice;
        assert_eq!((slice.first, slice.after), (1, after));
        assert_eq!(statement.receipts.len() as u64, slice.upto - slice.after);
        assert_eq!(statement.head.number, NOW + index as u64);
        after = slice.upto;
    }
    let all: Vec<_> = said.iter().flat_map(|statement| statement.receipts.clone()).collect();
    assert_eq!(all, receipts);
    let (last, others) = said.split_last().unwrap();
    assert_eq!(last.lists, lists);
    assert!(others.iter().all(|statement| !statement.lists.whole));
}

#[test]
fn lists_that_do_not_fit_are_not_whole() {
    let (_test, ledger) = ledger();
    hear(&ledger);
    let waiting = (0..LIST_MAX as u64).map(waiting).collect();
    let said = say(&ledger, Lists { whole: true, waiting, ..Lists::default() });
    assert!(said[0].to_bytes().len() <= PAYLOAD_MAX);
    assert!(!said[0].lists.whole && !said[0].lists.waiting.is_empty());
}
