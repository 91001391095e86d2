//! A configuration of any bytes is read or refused, and what was read prints and reads back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule::internal::config::{self, hjson};

fuzz_target!(|bytes: &[u8]| {
    let Ok(tree) = hjson::read(bytes) else { return };
    let printed = hjson::print(&tree);
    assert_eq!(hjson::read(printed.as_bytes()).as_deref(), Ok(&*tree));
    if let Ok(loaded) = config::checked(&tree) {
        let stripped = config::strip(&loaded.node);
        assert!(config::checked(&stripped).is_ok());
    }
});
