//! Any stream is searched to its end, whatever its reads give; a packet has a whole name, a header
//! and no more bytes than its headers say.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule::internal::media::Search;
use packmule_protocol::packet::HEADER_LEN;
use std::cell::RefCell;
use std::io::{self, Read};

thread_local! {
    /// Their megabytes cost more than a search.
    static BUFFERS: RefCell<[Vec<u8>; 2]> = RefCell::default();
}

/// Gives as many bytes at a time as a byte of the input says.
struct Uneven<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Uneven<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(self.step);
        self.bytes.read(&mut buffer[..len])
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let [one, other] = BUFFERS.take();
    let mut whole = Search::with_buffer(bytes, one);
    let mut uneven = Search::with_buffer(Uneven { bytes, step: usize::from(*first) + 1 }, other);
    let (mut open, mut number) = (true, 0_u32);
    loop {
        let found = whole.next_packet().expect("memory can be read");
        let same = uneven.next_packet().expect("memory can be read");
        assert_eq!(found.is_some(), same.is_some());
        let (Some(found), Some(same)) = (found, same) else { break };
        assert_eq!((found.packet, found.size), (same.packet, same.size));
        assert!(found.size >= HEADER_LEN as u64);
        number += 1;
        open ^= number % 3 == 0;
        if open {
            let (size, mut packet, mut other) = (found.size, found.open(), same.open());
            let read = io::copy(&mut packet, &mut io::sink()).expect("memory can be read");
            assert_eq!(read + packet.left(), size);
            assert_eq!(read, io::copy(&mut other, &mut io::sink()).expect("memory can be read"));
        }
    }
    BUFFERS.set([whole.into_buffer(), uneven.into_buffer()]);
});
