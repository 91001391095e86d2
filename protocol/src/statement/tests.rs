//! Tests the format in doc/statement.md, and hostile statements.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::id::PacketHash;
use proptest::prelude::*;

const HEAD: &str = concat!(
    r#"{"statement":1,"ledger":"AEAQCAIBAEAQCAIBAEAQCAIBAE","number":1764543210123456,"made":1764543210,"#,
    r#""can":["pieces"],"have":{"ledger":"AIBAEAQCAIBAEAQCAIBAEAQCAI","upto":1841,"number":1764540000000000},"#,
    r#""receipts":{"first":71,"after":88,"upto":90},"whole":true}"#,
);

fn packet(byte: u8) -> PacketHash {
    PacketHash([byte; 32])
}

fn statement() -> Statement {
    let head = Head {
        ledger: Name([1; 16]),
        number: 1_764_543_210_123_456,
        made: 1_764_543_210,
        can: vec!["pieces".to_owned()],
        have: Some(Have { ledger: Name([2; 16]), upto: 1841, number: 1_764_540_000_000_000 }),
        slice: Slice { first: 71, after: 88, upto: 90 },
    };
    let failed = Outcome::Failed { reason: "exit status 3".to_owned(), tries: 5, dropped: false };
    let checked = Checked {
        manifest: "ab".repeat(32),
        verdict: Verdict::Equal,
        objects: 81_204,
        differences: 0,
        at: 1_764_543_200,
    };
    Statement {
        head,
        receipts: vec![
            Receipt {
                packet: packet(0),
                at: 1_764_543_200,
                outcome: Outcome::Done { again: false },
            },
            Receipt { packet: packet(0), at: 1_764_543_201, outcome: failed },
        ],
        lists: Lists {
            whole: true,
            waiting: vec![Waiting {
                packet: packet(0),
                since: 1_764_543_100,
                reason: "waits for a snapshot".to_owned(),
                needs: Some(Need::Zfs(16_872_718_890_092_102_894)),
            }],
            facts: vec![
                Fact::Zfs {
                    dataset: "tank/home".to_owned(),
                    snapshot: "packmule-main-1".to_owned(),
                    guid: 2656,
                    creation: 1_764_400_000,
                    applied: 1_764_543_200,
                },
                Fact::Tree { tree: "home".to_owned(), checked },
            ],
            media: vec![MediumRead {
                medium: Name([3; 16]),
                name: "blue-3".to_owned(),
                session: 7,
                at: 1_764_543_190,
            }],
            sum: Some(Sum { packets: 7, bytes: 3_324_000_000, oldest: 1_764_000_000 }),
            under_way: vec![UnderWay { packet: packet(0), size: 300_000, since: 1_764_000_000 }],
        },
    }
}

/// The expected lines, written by hand.
fn text() -> String {
    let zero = "A".repeat(52);
    let manifest = "ab".repeat(32);
    let lines = [
        HEAD.to_owned(),
        format!(r#"{{"r":"done","p":"{zero}","at":1764543200}}"#),
        format!(
            r#"{{"r":"failed","p":"{zero}","at":1764543201,"reason":"exit status 3","tries":5}}"#
        ),
        format!(
            r#"{{"w":"{zero}","since":1764543100,"reason":"waits for a snapshot","needs":{{"zfs":"16872718890092102894"}}}}"#
        ),
        r#"{"f":"zfs","dataset":"tank/home","snapshot":"packmule-main-1","guid":"2656","creation":1764400000,"applied":1764543200}"#
            .to_owned(),
        format!(
            r#"{{"f":"tree","tree":"home","manifest":"{manifest}","verdict":"equal","objects":81204,"differences":0,"at":1764543200}}"#
        ),
        r#"{"m":"AMBQGAYDAMBQGAYDAMBQGAYDAM","name":"blue-3","session":7,"at":1764543190}"#.to_owned(),
        r#"{"o":{"packets":7,"bytes":3324000000,"oldest":1764000000}}"#.to_owned(),
        format!(r#"{{"o":"{zero}","size":300000,"since":1764000000}}"#),
    ];
    lines.map(|line| line + "\n").concat()
}

fn read(lines: &[&str]) -> Result<Statement, StatementError> {
    Statement::from_bytes([&[HEAD], lines].concat().join("\n").as_bytes())
}

#[test]
fn the_format_byte_for_byte() {
    assert_eq!(String::from_utf8(statement().to_bytes()).unwrap(), text());
    assert_eq!(Statement::from_bytes(text().as_bytes()), Ok(statement()));
}

#[test]
fn the_path_is_20_characters_and_zeros() {
    assert_eq!(PATH[..20], *b"packmule statement 1");
    assert_eq!(PATH[20..], [0; 12]);
}

#[test]
fn lines_and_members_of_later_versions_are_skipped() {
    let zero = "A".repeat(52);
    let receipt = format!(r#"{{"r":"done","p":"{zero}","at":1,"colour":"blue"}}"#);
    let later = format!(r#"{{"r":"shelved","p":"{zero}","at":1}}"#);
    let read =
        read(&[r#"{"x":1}"#, &receipt, &later, r#"{"f":"scrub","pool":"tank"}"#, "{}"]).unwrap();
    assert_eq!(read.receipts.len(), 1);
    assert_eq!(read.lists.facts, []);
}

#[test]
fn a_later_version_is_not_believed() {
    let later = HEAD.replace(r#""statement":1"#, r#""statement":2"#);
    assert_eq!(Statement::from_bytes(later.as_bytes()), Err(StatementError::Newer(2)));
}

#[test]
fn a_known_line_with_a_wrong_value_spoils_the_statement() {
    let zero = "A".repeat(52);
    for line in [
        r#"{"r":"done","p":"../../etc/passwd","at":1}"#.to_owned(),
        format!(r#"{{"r":"done","p":"{zero}"}}"#),
        format!(r#"{{"r":"done","p":"{zero}","at":1e400}}"#),
        format!(r#"{{"r":"done","p":"{zero}","at":18446744073709551616}}"#),
        format!(r#"{{"w":"{zero}","since":1,"reason":"x","needs":{{"pieces":"9-7"}}}}"#),
        format!(r#"{{"w":"{zero}","since":1,"reason":"x","needs":{{"zfs":"-1"}}}}"#),
        format!(r#"{{"w":"{zero}","since":1,"reason":"x","needs":[]}}"#),
        r#"{"m":"AMBQGAYDAMBQGAYDAMBQGAYDAN","name":"x","session":1,"at":1}"#.to_owned(),
        "[".repeat(1000),
        "null".to_owned(),
        String::new(),
    ] {
        assert!(
            matches!(read(&[&line, "{}"]), Err(StatementError::Line { number: 2, .. })),
            "{line}"
        );
    }
}

#[test]
fn what_has_no_head_is_refused() {
    assert!(Statement::from_bytes(b"").is_err());
    assert!(Statement::from_bytes(b"\n").is_err());
    assert!(Statement::from_bytes(&text().as_bytes()[HEAD.len() + 1..]).is_err());
    for at in 0..HEAD.len() {
        assert!(Statement::from_bytes(&HEAD.as_bytes()[..at]).is_err(), "{at} bytes");
    }
    let backwards = HEAD.replace(r#""after":88"#, r#""after":91"#);
    assert!(Statement::from_bytes(backwards.as_bytes()).is_err());
}

#[test]
fn every_limit_holds() {
    let long = vec![b'['; PAYLOAD_MAX + 1];
    assert_eq!(Statement::from_bytes(&long), Err(StatementError::TooLong(PAYLOAD_MAX + 1)));
    let line = format!(r#"{{"x":"{}"}}"#, "x".repeat(LINE_MAX));
    assert!(read(&[&line]).is_err());
    let medium = r#"{"m":"AMBQGAYDAMBQGAYDAMBQGAYDAM","name":"x","session":1,"at":1}"#;
    assert!(read(&[medium; MEDIA_MAX]).is_ok());
    let error = StatementError::TooMany { what: "media", most: MEDIA_MAX };
    assert_eq!(read(&[medium; MEDIA_MAX + 1]), Err(error));
}

#[test]
fn a_reason_is_one_line_of_200_bytes() {
    let mut given = statement();
    given.lists.waiting[0].reason = format!("{}\nforged", "ä".repeat(150));
    let read = Statement::from_bytes(&given.to_bytes()).unwrap();
    assert_eq!(read.lists.waiting[0].reason, "ä".repeat(100));
}

#[test]
fn pieces_are_numbers_and_ranges() {
    let mut given = statement();
    given.lists.waiting[0].needs = Some(Need::Pieces(vec![3..=3, 7..=9]));
    let bytes = given.to_bytes();
    assert!(String::from_utf8_lossy(&bytes).contains(r#""needs":{"pieces":"3,7-9"}"#));
    assert_eq!(Statement::from_bytes(&bytes), Ok(given));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), line in any::<bool>()) {
        let head = if line { format!("{HEAD}\n").into_bytes() } else { Vec::new() };
        if let Ok(read) = Statement::from_bytes(&[head, bytes].concat()) {
            prop_assert_eq!(Statement::from_bytes(&read.to_bytes()), Ok(read));
        }
    }
}

#[test]
fn a_receipt_is_one_line() {
    for receipt in statement().receipts {
        let line = receipt.to_line();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(Receipt::from_line(&line), Some(receipt));
        assert_eq!(Receipt::from_line(&line[..line.len() - 2]), None);
    }
    assert_eq!(Receipt::from_line(HEAD.as_bytes()), None);
    assert_eq!(Receipt::from_line(b"{\"r\":\"thought\"}"), None);
}
