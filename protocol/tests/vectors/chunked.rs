//! Descriptions of chunked files are read and written as the reference does; lies are refused.

use crate::{file, hex, json, list, number, text};
use packmule_protocol::chunked::{Meta, MetaError};
use packmule_protocol::magic::MagicError;

#[test]
fn descriptions_of_the_reference_read_and_write_back() {
    for told in list(&json("chunked/manifest.json")["good"]) {
        let bytes = file(&format!("chunked/{}", text(told, "file")));
        let meta = Meta::from_bytes(&bytes).unwrap();
        assert_eq!(meta.file_size, number(told, "file_size"));
        assert_eq!(meta.chunk_size, number(told, "chunk_size"));
        let checksums = list(&told["checksums"]).iter().map(|sum| hex(sum.as_str().unwrap()));
        assert!(meta.checksums.iter().map(|sum| sum.to_vec()).eq(checksums));
        assert_eq!(meta.to_bytes(), bytes);
    }
}

#[test]
fn every_lying_description_is_refused() {
    for told in list(&json("chunked/manifest.json")["refused"]) {
        let got = match Meta::from_bytes(&file(&format!("chunked/{}", text(told, "file")))) {
            Ok(_) => "read",
            Err(MetaError::Magic(MagicError::Unknown)) => "UnknownMagic",
            Err(MetaError::Magic(MagicError::Obsolete(..))) => "ObsoleteMagic",
            Err(MetaError::Field(_)) => "BadField",
            Err(MetaError::ZeroChunk) => "ZeroChunk",
            Err(MetaError::Count { .. }) => "Count",
            Err(other) => panic!("{other}"),
        };
        assert_eq!(got, text(told, "error"), "{told}");
    }
}
