//! Blobs under a passphrase, as `nncp-cfgenc` makes them, and blobs that open for nobody.

use crate::{file, json, list, number, rule, text};
use packmule_protocol::eblob::{Eblob, EblobError, in_turn};
use packmule_protocol::magic::MagicError;

#[test]
fn the_reference_s_blobs_open() {
    for entry in list(&json("eblob/manifest.json")["good"]) {
        let name = text(entry, "file");
        let blob = Eblob::parse(&file(&format!("eblob/{name}"))).unwrap();
        let cost = blob.cost();
        assert_eq!(u64::from(cost.space), number(entry, "space"), "{name}");
        assert_eq!(u64::from(cost.time), number(entry, "time"), "{name}");
        assert_eq!(u64::from(cost.parallel), number(entry, "parallel"), "{name}");
        let content = blob.open(text(entry, "passphrase").as_bytes(), in_turn).unwrap();
        assert_eq!(*content, rule(number(entry, "payload")), "{name}");
    }
}

#[test]
fn what_no_reader_may_open_is_refused_for_its_reason() {
    for entry in list(&json("eblob/manifest.json")["refused"]) {
        let name = text(entry, "file");
        let bytes = file(&format!("eblob/{name}"));
        let error = Eblob::parse(&bytes).and_then(|blob| blob.open(b"pass", in_turn)).unwrap_err();
        let kind = match error {
            EblobError::Magic(MagicError::Unknown) => "UnknownMagic",
            EblobError::Magic(MagicError::Obsolete(..)) => "ObsoleteMagic",
            EblobError::Cost(_) => "Costs",
            EblobError::Forged => "Forged",
            EblobError::Layout(_) => "BadField",
            other => panic!("{other}"),
        };
        assert_eq!(kind, text(entry, "error"), "{name}");
    }
}
