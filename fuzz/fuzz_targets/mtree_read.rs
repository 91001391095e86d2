//! Manifests of any bytes are read or refused, and what we write of one is read back as the same.
//!
//! `cargo fuzz run mtree_read CORPUS fuzz/seeds/mtree_read -- -dict=fuzz/seeds/mtree_read.dict`

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule::internal::mtree::{
    Dialect, Layout, Limits, ReadOptions, Trailer, WriteOptions, read, write,
};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { line: 4096, entries: 1000, depth: 100 };
    let options = ReadOptions { limits, merge: true };
    let Ok(reading) = read(bytes, &options) else { return };
    for layout in [Layout::Full, Layout::Relative] {
        for dialect in [Dialect::Portable, Dialect::Netbsd, Dialect::Gomtree] {
            let options = WriteOptions { dialect, layout, ..WriteOptions::default() };
            let mut first = Vec::new();
            write(&reading.manifest, &options, &mut first).expect("memory takes it");
            let again = read(&first[..], &ReadOptions::default()).expect("what we write is read");
            assert_eq!(again.trailer, Trailer::Whole);
            let mut second = Vec::new();
            write(&again.manifest, &options, &mut second).expect("memory takes it");
            assert_eq!(first, second);
        }
    }
});
