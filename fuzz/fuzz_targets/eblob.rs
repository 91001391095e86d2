//! Bytes of any kind are a blob or refused; a cheap one is opened or refused, too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule_protocol::eblob::{Eblob, in_turn};

fuzz_target!(|bytes: &[u8]| {
    let Ok(blob) = Eblob::parse(bytes) else { return };
    let again = blob.to_bytes();
    assert_eq!(Eblob::parse(&again).as_ref(), Ok(&blob));
    let cost = blob.cost();
    let work =
        u64::from(cost.space).saturating_mul(cost.time.into()).saturating_mul(cost.parallel.into());
    if work < 1000 {
        let _ = blob.open(b"pass", in_turn);
    }
});
