//! The payload of a statement: what is read is written so that it reads back. The input is also read behind a good
//! head, which random bytes hardly ever have.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule_protocol::statement::Statement;

const HEAD: &[u8] = br#"{"statement":1,"ledger":"AEAQCAIBAEAQCAIBAEAQCAIBAE","number":1,"made":1,"receipts":{"first":1,"after":0,"upto":0}}
"#;

fuzz_target!(|bytes: &[u8]| {
    for payload in [bytes.to_vec(), [HEAD, bytes].concat()] {
        let Ok(read) = Statement::from_bytes(&payload) else { continue };
        assert_eq!(Statement::from_bytes(&read.to_bytes()), Ok(read));
    }
});
