//! Descriptions of chunked files: any bytes are read or refused, and what is read agrees with
//! itself and is written as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule_protocol::chunked::{Meta, chunks};

fuzz_target!(|bytes: &[u8]| {
    let Ok(meta) = Meta::from_bytes(bytes) else { return };
    assert!(bytes.starts_with(&meta.to_bytes()));
    let count = meta.checksums.len() as u64;
    assert_eq!(count, chunks(meta.file_size, meta.chunk_size));
    let total: u64 = (0..count).map(|index| meta.chunk_len(index)).sum();
    assert_eq!(total, meta.file_size);
});
