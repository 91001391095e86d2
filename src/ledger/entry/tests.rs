use super::*;

pub(in crate::ledger) const RELAY: NodeId = NodeId([1; 32]);
pub(in crate::ledger) const VAULT: NodeId = NodeId([2; 32]);

/// A packet to the vault over the relay, named by `number` there.
pub(in crate::ledger) fn entry(number: u8) -> Entry {
    Entry {
        stations: vec![(RELAY, PacketHash([number ^ 0x80; 32])), (VAULT, PacketHash([number; 32]))],
        size: 1234,
        nice: 96,
        queued: 1000,
        data: 990,
        kind: Kind::File,
        backup: "photos".to_owned(),
        step: None,
        handed: Vec::new(),
        got: Vec::new(),
        last: None,
        dropped: false,
        line: 0,
    }
}

#[test]
fn an_entry_reads_back() {
    let plain = entry(3);
    assert_eq!(Entry::parse(&plain.to_bytes()), Some(plain.clone()));
    let mut full = Entry {
        step: Some(Step { guid: u64::MAX, from: None }),
        dropped: true,
        line: 7,
        kind: Kind::Zfs,
        last: Some(Word { by: VAULT, at: 5, failed: true, reason: "exit \"1\"\n".to_owned() }),
        ..plain
    };
    full.note_got(RELAY, 1);
    full.note_got(RELAY, 2);
    for session in 0..40 {
        let medium = (session % 2 == 0).then_some((MediumId::default(), session));
        full.note_handed(Handed { at: 9, by: HandedBy::Medium, medium });
    }
    assert_eq!((full.handed.len(), full.got.len()), (HANDED_MAX, 1));
    assert_eq!(Entry::parse(&full.to_bytes()), Some(full));
}

#[test]
fn torn_or_hostile_content_is_no_entry() {
    let bytes = entry(3).to_bytes();
    for end in 0..bytes.len() - 1 {
        assert_eq!(Entry::parse(&bytes[..end]), None, "{end}");
    }
    let text = String::from_utf8(bytes).unwrap();
    for (from, to) in [
        ("\"stations\"", "\"others\""),
        ("\"nice\":96", "\"nice\":256"),
        ("\"size\":1234", "\"size\":-1"),
        ("\"file\"", "\"fold\""),
        ("\"photos\"", "7"),
    ] {
        assert!(text.contains(from));
        assert_eq!(Entry::parse(text.replace(from, to).as_bytes()), None, "{to}");
    }
    assert_eq!(Entry::parse("[".repeat(60_000).as_bytes()), None);
}

#[test]
fn a_station_behind_counts_as_reached() {
    let mut entry = entry(1);
    assert!(!entry.reached(&RELAY));
    entry.note_got(VAULT, 5);
    assert!(entry.reached(&RELAY) && entry.reached(&VAULT));
    let mut entry = self::entry(1);
    entry.note_got(RELAY, 5);
    assert!(entry.reached(&RELAY) && !entry.reached(&VAULT));
    assert!(!entry.reached(&NodeId([9; 32])));
}
