//! Peers that break the rules. Nothing panics, memory stays limited, and only the session ends.

use super::*;
use crate::sync::frame::{self, FrameError};
use crate::sync::handshake::{Initiator, NoiseError, Transport};
use crate::sync::message::{Done, File, Freq, Info, Message, MessageError};
use proptest::prelude::*;
use std::time::Duration;

/// A node under attack, and the attacker's end of the line. The attacker has a known key.
struct Attack {
    now: Instant,
    spool: Spool,
    session: Session,
    transport: Transport,
    /// The payloads that the node sent after the handshake.
    heard: Vec<Vec<u8>>,
    open: bool,
}

fn keys() -> (NoisePrivate, NoisePrivate) {
    (NoisePrivate::from_bytes([0x11; 32]), NoisePrivate::from_bytes([0x22; 32]))
}

fn frame(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let start = frame::begin(&mut out);
    out.extend_from_slice(message);
    frame::finish(&mut out, start);
    out
}

fn encoded(messages: &[Message<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        message.encode(&mut out);
    }
    out
}

impl Attack {
    fn on(spool: Spool) -> Self {
        Self::with_first(spool, &[])
    }

    /// Starts an attack with these messages in the attacker's first message.
    fn with_first(spool: Spool, first: &[Message<'_>]) -> Self {
        let now = Instant::now();
        let (mallory, node) = keys();
        let mut session = Session::answer(now, node.clone(), seed(), DEADLINE);
        let (initiator, message) =
            Initiator::start(&mallory, &node.public(), seed(), &encoded(first));
        session.handle_input(now, &frame(&message));
        assert_eq!(session.caller(), Some(mallory.public()));
        session.accept(now, Options::default(), spool.offers());
        let mut out = Vec::new();
        assert!(session.poll_output(now, &mut out));
        let (_, transport) = initiator.finish(&out[frame::HEADER_LEN..]).unwrap();
        let mut attack = Self { now, spool, session, transport, heard: Vec::new(), open: true };
        attack.settle();
        attack
    }

    fn settle(&mut self) {
        loop {
            let mut busy = self.spool.work(&mut self.session);
            let mut out = Vec::new();
            while self.session.poll_output(self.now, &mut out) {
                busy = true;
                let payload = self.transport.open(&mut out[frame::HEADER_LEN..]).unwrap();
                self.heard.push(payload.to_vec());
                out.clear();
            }
            if !busy {
                break;
            }
        }
        self.open = self.session.closed().is_none();
    }

    fn payload(&mut self, payload: &[u8]) {
        let mut message = payload.to_vec();
        self.transport.seal(&mut message, 0).unwrap();
        self.raw(&frame(&message));
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.session.handle_input(self.now, bytes);
        self.settle();
    }

    fn says(&mut self, messages: &[Message<'_>]) {
        self.payload(&encoded(messages));
    }

    /// The requests of the node.
    fn requests(&self) -> Vec<Freq> {
        let mut found = Vec::new();
        for payload in &self.heard {
            let mut left = payload.as_slice();
            while let Some(message) = Message::take(&mut left).unwrap() {
                if let Message::Freq(freq) = message {
                    found.push(freq);
                }
            }
        }
        found
    }

    /// Asserts that an honest packet still arrives in this session.
    fn honest_packet_is_delivered(&mut self) {
        let bytes = packet(0xF00D, 2000);
        let hash = hash_of(&bytes);
        self.says(&[Message::Info(Info { nice: 9, size: 2000, hash })]);
        self.says(&[Message::File(File { hash, offset: 0, data: &bytes })]);
        assert_eq!(self.spool.rx.get(&hash), Some(&bytes));
        assert!(self.open);
    }
}

fn info(id: u8, size: u64) -> Message<'static> {
    Message::Info(Info { nice: 9, size, hash: PacketHash([id; 32]) })
}

const NEVER_ASKED: PacketHash = PacketHash([0xEE; 32]);

#[test]
fn a_file_never_announced_is_ignored() {
    let mut attack = Attack::on(Spool::default());
    for _ in 0..100 {
        attack.says(&[Message::File(File { hash: NEVER_ASKED, offset: 0, data: &[1; 1000] })]);
    }
    assert!(attack.spool.parts.is_empty());
    assert_eq!(attack.spool.odd, [Oddity::UnknownFile], "told once");
    attack.honest_packet_is_delivered();
}

#[test]
fn impossible_offers_are_ignored() {
    let mut attack = Attack::on(Spool::default());
    for size in [0, 1, 479, 1 << 62 | 1, 1 << 63, u64::MAX] {
        attack.says(&[info(1, size)]);
    }
    attack.says(&[Message::Info(Info { nice: 0, size: 1000, hash: PacketHash([1; 32]) })]);
    assert!(attack.requests().is_empty());
    assert_eq!(attack.spool.odd, [Oddity::Offer]);
    attack.honest_packet_is_delivered();
}

#[test]
fn wrong_offsets_end_the_session_and_keep_what_was_valid() {
    for offset in [0, 99, 101, 1 << 40, u64::MAX] {
        let mut attack = Attack::on(Spool::default());
        attack.says(&[info(1, 1000)]);
        let hash = PacketHash([1; 32]);
        attack.says(&[Message::File(File { hash, offset: 0, data: &[1; 100] })]);
        attack.says(&[Message::File(File { hash, offset, data: &[2; 100] })]);
        let error = PeerError::Offset { hash, want: 100, got: offset };
        assert_eq!(attack.session.closed(), Some(Closed::Peer(error)));
        assert_eq!(attack.spool.parts[&hash], [1; 100]);
    }
}

#[test]
fn more_bytes_than_announced_end_the_session() {
    let mut attack = Attack::on(Spool::default());
    attack.says(&[info(1, 1000)]);
    let hash = PacketHash([1; 32]);
    attack.says(&[Message::File(File { hash, offset: 0, data: &[1; 1001] })]);
    assert_eq!(
        attack.session.closed(),
        Some(Closed::Peer(PeerError::TooLong { hash, size: 1000 }))
    );
    assert!(attack.spool.parts.is_empty());
}

#[test]
fn wrong_content_is_asked_for_again_and_never_becomes_a_packet() {
    let mut attack = Attack::on(Spool::default());
    attack.says(&[info(1, 1000)]);
    let hash = PacketHash([1; 32]);
    attack.says(&[Message::File(File { hash, offset: 0, data: &[1; 1000] })]);
    assert_eq!(attack.requests(), [Freq { hash, offset: 0 }, Freq { hash, offset: 0 }]);
    assert!(attack.spool.rx.is_empty());
    attack.honest_packet_is_delivered();
}

#[test]
fn endless_offers_are_bounded() {
    let mut attack = Attack::on(Spool::default());
    for batch in 0..200u32 {
        let mut payload = Vec::new();
        for index in 0..1360u32 {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&(u64::from(batch) << 32 | u64::from(index)).to_be_bytes());
            Message::Info(Info { nice: 9, size: 1000, hash: PacketHash(hash) })
                .encode(&mut payload);
        }
        attack.payload(&payload);
    }
    assert_eq!(attack.spool.odd, [Oddity::TooMany]);
    assert_eq!(attack.session.left().to_receive.packets, 200 * 1360);
    assert_eq!(attack.requests().len(), 1024, "and asks for few at a time");
}

#[test]
fn a_request_beyond_the_end_is_dropped() {
    let mut spool = Spool::default();
    let hash = spool.queue(9, packet(1, 1000));
    let mut attack = Attack::on(spool);
    for offset in [1001, u64::MAX] {
        attack.says(&[Message::Freq(Freq { hash, offset })]);
    }
    assert!(attack.heard.is_empty());
    assert_eq!(attack.spool.odd, [Oddity::BeyondEnd]);
    attack.honest_packet_is_delivered();
}

#[test]
fn requests_for_what_was_not_offered_are_not_answered() {
    let mut attack = Attack::on(Spool::default());
    attack.says(&[Message::Freq(Freq { hash: NEVER_ASKED, offset: 0 })]);
    assert!(attack.heard.is_empty());
    attack.honest_packet_is_delivered();
}

#[test]
fn only_offered_packets_can_be_confirmed() {
    let mut spool = Spool::default();
    let offered = spool.queue(9, packet(1, 1000));
    let mut attack = Attack::on(spool);
    let later = attack.spool.queue(9, packet(2, 1000));
    attack.says(&[Message::Done(Done { hash: later }), Message::Done(Done { hash: NEVER_ASKED })]);
    assert!(attack.spool.tx.contains_key(&later), "it was never offered in this session");
    attack.says(&[Message::Done(Done { hash: offered }), Message::Done(Done { hash: offered })]);
    assert!(!attack.spool.tx.contains_key(&offered));
    attack.honest_packet_is_delivered();
}

#[test]
fn a_replayed_first_message_can_only_offer() {
    let mut spool = Spool::default();
    let hash = spool.queue(9, packet(1, 1000));
    let first =
        [Message::Done(Done { hash }), Message::Freq(Freq { hash, offset: 0 }), info(1, 1000)];
    let mut attack = Attack::with_first(spool, &first);
    assert!(attack.spool.tx.contains_key(&hash));
    assert_eq!(attack.heard.len(), 1, "a request for what was offered, and no file");
    let proof = Freq { hash: PacketHash([1; 32]), offset: 1000 };
    assert_eq!(attack.requests(), [proof], "for what only proves that the caller is there");
    assert!(!attack.session.is_proven() && attack.spool.resumed.is_empty(), "nothing is decided");
    while attack.open {
        attack.now += Duration::from_secs(1);
        attack.session.handle_timeout(attack.now);
        attack.settle();
    }
    assert_eq!(attack.session.closed(), Some(Closed::Unproven));
}

#[test]
fn any_frame_of_the_caller_proves_it_and_the_proof_may_come_late() {
    let bytes = packet(5, 1000);
    let hash = hash_of(&bytes);
    let offer = || Message::Info(Info { nice: 9, size: 1000, hash });
    let proof = || Message::File(File { hash, offset: 1000, data: b"" });
    let file = || Message::File(File { hash, offset: 0, data: &bytes });
    let ping = || Message::Ping;
    for (first, then) in [
        (vec![ping(), proof()], vec![file()]),
        (vec![proof()], vec![file()]),
        (vec![ping()], vec![file(), proof()]),
    ] {
        let mut attack = Attack::with_first(Spool::default(), &[offer()]);
        assert!(!attack.session.is_proven());
        for message in &first {
            attack.says(std::slice::from_ref(message));
            assert!(attack.session.is_proven());
        }
        // The node waits for a missing proof, but not for ever.
        if !first.contains(&proof()) {
            assert_eq!(attack.requests().len(), 1, "one request for a packet at a time");
            attack.now = attack.session.poll_timeout().unwrap();
            attack.settle();
        }
        assert_eq!(attack.requests().last(), Some(&Freq { hash, offset: 0 }));
        for message in &then {
            attack.says(std::slice::from_ref(message));
        }
        assert_eq!(attack.spool.rx.get(&hash), Some(&bytes), "{first:?}");
        assert!(attack.open && attack.spool.odd.is_empty(), "{:?}", attack.spool.odd);
    }
}

#[test]
fn a_confirmation_waits_for_the_answer_to_a_probe_and_not_for_ever() {
    let bytes = packet(5, 1000);
    let hash = hash_of(&bytes);
    for answers in [true, false] {
        let mut attack = Attack::on(Spool { judges: false, ..Spool::default() });
        attack.says(&[Message::Info(Info { nice: 9, size: 1000, hash })]);
        attack.says(&[Message::File(File { hash, offset: 0, data: &bytes })]);
        attack.now += Duration::from_secs(4);
        attack.settle();
        assert_eq!(attack.requests().last(), Some(&Freq { hash, offset: 1000 }), "a sign of life");
        attack.session.decide(&hash, Decision::Have);
        attack.settle();
        let done = encoded(&[Message::Done(Done { hash })]);
        assert!(!attack.heard.contains(&done), "the peer is about to read the packet");
        if answers {
            attack.says(&[Message::File(File { hash, offset: 1000, data: b"" })]);
        } else {
            attack.now = attack.session.poll_timeout().unwrap();
            attack.settle();
        }
        assert!(attack.heard.contains(&done), "answered: {answers}");
        assert!(attack.spool.odd.is_empty());
    }
}

#[test]
fn a_first_message_that_is_none_ends_the_session() {
    let now = Instant::now();
    let (mallory, node) = keys();
    let mut session = Session::answer(now, node.clone(), seed(), DEADLINE);
    let (_, message) = Initiator::start(&mallory, &node.public(), seed(), &[0, 0, 0, 77]);
    session.handle_input(now, &frame(&message));
    session.accept(now, Options::default(), Vec::new());
    assert!(matches!(session.closed(), Some(Closed::Peer(PeerError::Message(_)))));
}

#[test]
fn repeated_requests_send_one_stream() {
    let mut spool = Spool::default();
    let hash = spool.queue(9, packet(1, 100_000));
    let mut attack = Attack::on(spool);
    let wish = Message::Freq(Freq { hash, offset: 0 });
    attack.says(&vec![wish; 1000]);
    let heard: usize = attack.heard.iter().map(Vec::len).sum();
    assert!(heard < 110_000, "one stream, not a thousand: {heard} bytes");
}

#[test]
fn halt_stops_the_files_and_a_new_request_starts_over() {
    let mut spool = Spool::default();
    let hash = spool.queue(9, packet(1, 1000));
    let mut attack = Attack::on(spool);
    attack.says(&[Message::Freq(Freq { hash, offset: 0 }), Message::Halt]);
    assert!(attack.heard.is_empty());
    attack.says(&[Message::Freq(Freq { hash, offset: 0 })]);
    assert_eq!(attack.heard.len(), 1);
}

#[test]
fn broken_messages_end_the_session() {
    for payload in [&[0, 0, 0, 6][..], &[0, 0, 0], &[0, 0, 0, 0, 0, 0, 1, 0], &[0, 0, 0, 1, 9]] {
        let mut attack = Attack::on(Spool::default());
        attack.payload(payload);
        let closed = attack.session.closed();
        assert!(
            matches!(closed, Some(Closed::Peer(PeerError::Message(_)))),
            "{payload:?}: {closed:?}"
        );
    }
    let mut attack = Attack::on(Spool::default());
    attack.payload(&[0xFF; 4]);
    let unknown = PeerError::Message(MessageError::Unknown(u32::MAX));
    assert_eq!(attack.session.closed(), Some(Closed::Peer(unknown)));
}

#[test]
fn broken_frames_end_the_session() {
    let check = |bytes: &[u8], want: PeerError| {
        let mut attack = Attack::on(Spool::default());
        attack.raw(bytes);
        assert_eq!(attack.session.closed(), Some(Closed::Peer(want)), "{bytes:?}");
        attack.raw(bytes);
    };
    check(b"GET / HTTP/1.1\r\n", FrameError::Magic.into());
    check(b"NNCPS\0\0\x02", FrameError::Magic.into());
    check(b"NNCPS\0\0\x01\0\x02\0\x01", FrameError::TooLong(131_073).into());
    check(b"NNCPS\0\0\x01\xFF\xFF\xFF\xFF", FrameError::TooLong(u32::MAX).into());
    check(&frame(&[0; 20]), NoiseError::Forged.into());
    for len in 0..16 {
        check(&frame(&vec![0; len]), NoiseError::Forged.into());
    }
}

#[test]
fn garbage_before_the_handshake_ends_the_session_with_nothing_said() {
    for bytes in [&b"SSH-2.0-OpenSSH"[..], &frame(&[7; 96]), &frame(&[]), &frame(&[7; 65_376])] {
        let now = Instant::now();
        let mut session = Session::answer(now, keys().1, seed(), DEADLINE);
        session.handle_input(now, bytes);
        assert!(session.closed().is_some());
        assert!(!session.poll_output(now, &mut Vec::new()));
        assert_eq!((session.caller(), session.poll_event()), (None, None));
    }
}

#[test]
fn no_deadline_is_too_long() {
    let now = Instant::now();
    let mut session = Session::answer(now, keys().1, seed(), Duration::MAX);
    session.handle_input(now, &frame(&[7; 96])[..20]);
    assert_eq!(session.closed(), None);
}

#[test]
fn first_messages_of_every_illegal_length_are_refused() {
    let closed = |bytes: &[u8]| {
        let now = Instant::now();
        let mut session = Session::answer(now, keys().1, seed(), DEADLINE);
        session.handle_input(now, bytes);
        assert_eq!(session.caller(), None);
        session.closed()
    };
    for len in 0..96 {
        let forged = Closed::Peer(NoiseError::Forged.into());
        assert_eq!(closed(&frame(&vec![7; len])), Some(forged), "{len}");
    }
    for len in [65_536, 65_537, 131_072, 131_073, 1 << 31, u32::MAX] {
        let header = [&b"NNCPS\0\0\x01"[..], &len.to_be_bytes()].concat();
        let too_long = Closed::Peer(FrameError::TooLong(len).into());
        assert_eq!(closed(&header), Some(too_long), "{len}: at its header");
    }
}

#[test]
fn a_byte_at_a_time_is_as_good_as_a_frame() {
    let mut attack = Attack::on(Spool::default());
    let bytes = packet(3, 2000);
    let hash = hash_of(&bytes);
    for messages in [
        vec![Message::Info(Info { nice: 9, size: 2000, hash })],
        vec![Message::File(File { hash, offset: 0, data: &bytes })],
    ] {
        let mut message = encoded(&messages);
        attack.transport.seal(&mut message, 0).unwrap();
        for byte in frame(&message) {
            attack.raw(&[byte]);
        }
    }
    assert_eq!(attack.spool.rx.len(), 1);
}

#[test]
fn silence_ends_the_session_in_every_state() {
    let mut silent = Attack::on(Spool::default());
    silent.says(&[info(1, 1000)]);
    let start = silent.now;
    while let Some(next) = silent.session.poll_timeout() {
        silent.now = next;
        silent.session.handle_timeout(next);
        silent.settle();
    }
    assert_eq!(silent.now - start, DEADLINE);
    assert_eq!(silent.session.left().to_receive.packets, 1);

    // With a long deadline, the limit for silence applies.
    let (mallory, node) = keys();
    let now = Instant::now();
    let mut session = Session::answer(now, node.clone(), seed(), DEADLINE);
    let (_, message) = Initiator::start(&mallory, &node.public(), seed(), b"");
    session.handle_input(now, &frame(&message));
    let options = Options { onlinedeadline: Duration::from_secs(86_400), ..Options::default() };
    session.accept(now, options, Vec::new());
    let mut late = now;
    while let Some(next) = session.poll_timeout() {
        late = next;
        session.handle_timeout(next);
        while session.poll_output(next, &mut Vec::new()) {}
    }
    assert_eq!(session.closed(), Some(Closed::Silent));
    assert_eq!((late - now).as_secs(), 150);
}

#[test]
fn pings_and_halts_do_not_keep_a_session() {
    let mut attack = Attack::on(Spool::default());
    let start = attack.now;
    while attack.open && (attack.now - start).as_secs() < 60 {
        attack.now += Duration::from_secs(1);
        attack.says(&[Message::Ping, Message::Halt]);
        attack.session.handle_timeout(attack.now);
        attack.settle();
    }
    assert_eq!((attack.now - start).as_secs(), 10);
}

fn arbitrary_message() -> impl Strategy<Value = Vec<u8>> {
    let hash = (0..4u8).prop_map(|id| PacketHash([id; 32]));
    let near = prop_oneof![0..2000u64, any::<u64>()];
    (0..7, hash, near, 0..600usize).prop_map(|(kind, hash, number, len)| {
        let data = vec![kind as u8; len];
        encoded(&[match kind {
            0 => Message::Info(Info { nice: len as u8, size: number, hash }),
            1 => Message::Freq(Freq { hash, offset: number }),
            2 => Message::File(File { hash, offset: number, data: &data }),
            3 => Message::Done(Done { hash }),
            4 => Message::Halt,
            5 => Message::Ping,
            _ => return data,
        }])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any messages in any order cause no panic, no stored byte out of sequence (the spool of these
    /// tests checks that), and no removal of a packet that was not offered.
    #[test]
    fn any_row_of_messages_is_survived(
        messages in proptest::collection::vec(arbitrary_message(), 0..40),
        pause in 0..5000u64,
    ) {
        let mut spool = Spool::default();
        spool.tx.insert(PacketHash([0; 32]), (nice(9), packet(1, 1000)));
        let mut attack = Attack::on(spool);
        for message in messages {
            attack.now += Duration::from_millis(pause);
            attack.session.handle_timeout(attack.now);
            attack.settle();
            if !attack.open {
                break;
            }
            attack.payload(&message);
        }
    }
}
