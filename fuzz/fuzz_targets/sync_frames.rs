//! A stream of any bytes, cut anywhere, is frames or is refused, and is never held beyond one frame.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule_protocol::sync::frame::{Deframer, HEADER_LEN, MAX_TRANSPORT};
use packmule_protocol::sync::message::Message;

fuzz_target!(|bytes: &[u8]| {
    let Some((&cut, stream)) = bytes.split_first() else { return };
    let mut deframer = Deframer::default();
    for piece in stream.chunks(usize::from(cut) + 1) {
        deframer.push(piece);
        loop {
            match deframer.next(MAX_TRANSPORT) {
                Ok(Some(message)) => assert!(message.len() + HEADER_LEN <= bytes.len()),
                Ok(None) => break,
                Err(_) => return,
            }
        }
        assert!(deframer.is_hungry(MAX_TRANSPORT));
    }
    // The same bytes as a payload.
    let mut left = stream;
    let mut before = left.len() + 1;
    while let Ok(Some(message)) = Message::take(&mut left) {
        assert!(left.len() < before, "every message takes something");
        before = left.len();
        let mut again = Vec::new();
        message.encode(&mut again);
        assert_eq!(Message::take(&mut again.as_slice()), Ok(Some(message)));
    }
});
