//! Plain headers: any bytes are read or refused, and what is read is written with the same meaning.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule_protocol::packet::PlainHeader;

fuzz_target!(|bytes: &[u8]| {
    let Ok(header) = PlainHeader::from_bytes(bytes) else { return };
    assert_eq!(PlainHeader::from_bytes(&header.to_bytes()), Ok(header));
});
