//! A send stream of any bytes is walked to its end or refused, in any pieces with the same result,
//! and no nvlist in it takes more memory than its bytes allow.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule::internal::zfs::stream::nvlist::List;
use packmule::internal::zfs::stream::{Event, Fault, Walker};

fn walk(bytes: &[u8], piece: usize) -> Result<Vec<Event>, Fault> {
    let mut walker = Walker::new();
    let mut events = Vec::new();
    for mut rest in bytes.chunks(piece) {
        while !rest.is_empty() {
            let (used, event) = walker.feed(rest)?;
            assert!(used <= rest.len() && (used > 0 || event.is_some()));
            rest = &rest[used..];
            events.extend(event);
        }
    }
    walker.finish().map(|()| events)
}

fuzz_target!(|bytes: &[u8]| {
    let whole = walk(bytes, bytes.len().max(1));
    assert_eq!(walk(bytes, 7), whole);
    let _ = List::unpack(bytes);
});
