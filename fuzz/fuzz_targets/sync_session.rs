//! A session that is told anything at any time: it asks to store nothing but the next bytes of what
//! it asked for, and to remove nothing but what it offered.
//!
//! The input is a row of steps: a byte that says what, a byte of time, a length, and bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule_protocol::id::PacketHash;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::sync::handshake::Transport;
use packmule_protocol::sync::{Decision, Event, Offer, Options, Session, frame};
use std::collections::HashMap;
use std::time::{Duration, Instant};

const OURS: PacketHash = PacketHash([1; 32]);
const SIZE: u64 = 1000;

fn framed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let start = frame::begin(&mut out);
    out.extend_from_slice(message);
    frame::finish(&mut out, start);
    out
}

/// A session that offered one packet, and the caller's end of it. `None` when it is over after the caller's
/// first message, `first`.
fn established(now: Instant, first: &[u8]) -> Option<(Session, Transport)> {
    let (caller, called) = Transport::pair();
    let offer = Offer { hash: OURS, nice: Niceness::BULK, size: SIZE };
    let session = Session::established(now, called, Options::default(), vec![offer], first);
    session.closed().is_none().then_some((session, caller))
}

fuzz_target!(|bytes: &[u8]| {
    let mut now = Instant::now();
    let mut input = bytes;
    let mut take = |len: usize| {
        let (taken, rest) = input.split_at(len.min(input.len()));
        input = rest;
        taken
    };
    let Some((mut session, mut transport)) = established(now, take(100)) else { return };
    let mut stored: HashMap<PacketHash, u64> = HashMap::new();
    let mut delivered = 0;
    loop {
        let &[what, time, len] = take(3) else { return };
        now += Duration::from_millis(u64::from(time) * 100);
        session.handle_timeout(now);
        let data = take(usize::from(len));
        if what % 8 == 0 {
            session.handle_input(now, data);
        } else {
            let mut message = data.to_vec();
            transport.seal(&mut message, 0).expect("few messages");
            session.handle_input(now, &framed(&message));
        }
        while let Some(event) = session.poll_event() {
            match event {
                Event::Offered(offer) => {
                    let offset = u64::from(what) * 7 % (offer.size + 1);
                    let decision = match what % 3 {
                        0 => Decision::Have,
                        1 => Decision::Skip,
                        _ => Decision::Fetch { offset },
                    };
                    stored.insert(offer.hash, offset);
                    session.decide(&offer.hash, decision);
                }
                Event::Store(store) => {
                    let next = stored.get_mut(&store.hash).expect("offered and fetched");
                    assert_eq!(store.offset, *next, "no holes, no overlaps");
                    *next += store.data.len() as u64;
                    if store.last {
                        session.decide(&store.hash, Decision::Have);
                    }
                }
                Event::Read(read) => {
                    assert_eq!(read.hash, OURS);
                    assert!(read.offset + read.len as u64 <= SIZE);
                    session.supply(read.ticket, (what % 5 > 0).then(|| vec![0; read.len]));
                }
                Event::Delivered(hash) => {
                    assert_eq!(hash, OURS);
                    delivered += 1;
                    assert_eq!(delivered, 1);
                }
                _ => {}
            }
        }
        let mut out = Vec::new();
        while session.poll_output(now, &mut out) {
            out.clear();
        }
        if session.closed().is_some() {
            return;
        }
        assert!(session.poll_timeout().is_some());
    }
});
