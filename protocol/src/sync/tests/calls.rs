//! Sessions of two honest nodes.

use super::*;
use std::time::Duration;

const KIB: usize = 1024;

fn spool(packets: &[(u8, usize)]) -> Spool {
    let mut spool = Spool::default();
    for (index, (value, len)) in packets.iter().enumerate() {
        spool.queue(*value, packet((index * 1000 + packets.len()) as u64, *len));
    }
    spool
}

fn sent(spool: &Spool) -> Vec<PacketHash> {
    spool.tx.keys().copied().collect()
}

fn received(spool: &Spool) -> Vec<PacketHash> {
    spool.rx.keys().copied().collect()
}

#[test]
fn packets_go_both_ways_at_once_and_are_removed_when_confirmed() {
    let mut pair = Pair::new(
        spool(&[(224, 300 * KIB), (10, 600)]),
        spool(&[(1, 70_000), (255, 480), (9, 999)]),
    );
    let (alices, bobs) = (sent(&pair.alice), sent(&pair.bob));
    pair.run();
    assert_eq!(received(&pair.bob), alices);
    assert_eq!(received(&pair.alice), bobs);
    assert!(pair.alice.tx.is_empty() && pair.bob.tx.is_empty());
    assert_eq!(pair.alices.left(), Left::default());
    assert_eq!(pair.bobs.left(), Left::default());
    assert!(pair.alice.odd.is_empty() && pair.bob.odd.is_empty());
}

#[test]
fn the_first_frames_do_not_tell_how_many_packets_wait() {
    for count in [0, 1, 1360, 1361, 5000] {
        let mut alice = Spool::default();
        for index in 0..count {
            alice.queue(7, packet(index, 480));
        }
        let mut pair = Pair::new(alice, Spool::default());
        pair.settle();
        assert_eq!(pair.frames.0[0], 12 + 96 + 65_280, "{count} packets");
        assert_eq!(pair.frames.1[0], 12 + 48 + 65_280);
        assert!(pair.frames.0.iter().all(|len| *len <= 65_388));
        pair.run();
        assert_eq!(pair.bob.rx.len(), count as usize);
        assert!(pair.bob.arrivals.values().all(|times| *times == 1));
    }
}

#[test]
fn an_idle_session_ends_after_the_online_deadline() {
    let mut pair = Pair::new(Spool::default(), Spool::default());
    let start = pair.now;
    pair.run();
    assert_eq!(pair.now - start, DEADLINE);
    assert_eq!(pair.alices.closed(), Some(Closed::Idle));
}

#[test]
fn a_long_idle_session_is_kept_by_pings() {
    let hour = Options { onlinedeadline: Duration::from_secs(3600), ..Options::default() };
    let mut pair = Pair::with(Spool::default(), Spool::default(), hour.clone(), hour);
    let start = pair.now;
    pair.run();
    assert_eq!(pair.now - start, Duration::from_secs(3600));
    assert_eq!(pair.alices.closed(), Some(Closed::Idle));
    assert!(pair.frames.0.len() > 60, "a PING in less than a minute");
}

#[test]
fn the_smaller_deadline_and_the_maximal_time_decide() {
    let short = Options { onlinedeadline: Duration::from_secs(3), ..Options::default() };
    let mut pair = Pair::with(Spool::default(), Spool::default(), Options::default(), short);
    let start = pair.now;
    pair.run();
    assert_eq!((pair.now - start).as_secs(), 3);
    assert_eq!(pair.bobs.closed(), Some(Closed::Idle));

    let capped = Options {
        onlinedeadline: Duration::from_secs(u64::MAX),
        maxonlinetime: Some(Duration::from_secs(77)),
        ..Options::default()
    };
    let mut pair = Pair::with(Spool::default(), Spool::default(), capped.clone(), capped);
    let start = pair.now;
    pair.run();
    assert_eq!((pair.now - start).as_secs(), 77);
    assert_eq!(pair.alices.closed(), Some(Closed::TimeUp));
}

#[test]
fn a_broken_call_resumes_from_the_part_file() {
    let mut pair = Pair::new(spool(&[(1, 900 * KIB)]), Spool::default());
    while pair.bob.parts.values().all(|part| part.len() < 100 * KIB) {
        assert!(pair.step());
    }
    let have = pair.bob.parts.values().next().unwrap().len() as u64;
    assert!(have < 900 * KIB as u64);
    pair.reconnect();
    pair.run();
    assert_eq!(pair.bob.resumed.last(), Some(&have));
    assert_eq!(pair.bob.rx.len(), 1);
    assert!(pair.alice.tx.is_empty());
}

#[test]
fn a_complete_part_without_confirmation_is_completed() {
    let alice = spool(&[(1, 5000)]);
    let mut bob = Spool::default();
    let (hash, (_, bytes)) = alice.tx.iter().next().unwrap();
    bob.parts.insert(*hash, bytes.clone());
    let mut pair = Pair::new(alice, bob);
    pair.run();
    assert_eq!(pair.bob.rx.len(), 1);
    assert!(pair.alice.tx.is_empty());
}

#[test]
fn what_is_already_there_is_confirmed_and_not_sent() {
    let alice = spool(&[(1, 500 * KIB)]);
    let mut bob = Spool::default();
    let (hash, (_, bytes)) = alice.tx.iter().next().unwrap();
    bob.rx.insert(*hash, bytes.clone());
    let mut pair = Pair::new(alice, bob);
    pair.run();
    assert!(pair.alice.tx.is_empty());
    let empty_file = 12 + 16 + 48;
    assert_eq!(pair.frames.0.len(), 3, "the first frame, a PING, and the proof that was asked for");
    assert!(pair.frames.0[1..].iter().all(|len| *len <= empty_file));
}

#[test]
fn a_caller_speaks_at_once_unless_it_only_looks() {
    for (flow, speaks) in
        [(Flow::Both, true), (Flow::Receive, true), (Flow::Send, true), (Flow::List, false)]
    {
        let ours = Options { flow, ..Options::default() };
        let mut pair = Pair::with(Spool::default(), Spool::default(), ours, Options::default());
        pair.settle();
        assert_eq!(pair.frames.0.len(), 1 + usize::from(speaks), "{flow:?}");
        assert_eq!(pair.bobs.is_proven(), speaks, "{flow:?}");
        assert!(pair.alices.is_proven(), "the second message proves who answered");
    }
}

#[test]
fn what_was_not_confirmed_is_left_and_how_far_it_came_is_known() {
    let limited = Options { limit: nice(100), ..Options::default() };
    let mut pair =
        Pair::with(spool(&[(1, 600), (101, 700)]), Spool::default(), Options::default(), limited);
    pair.run();
    let left = pair.alices.left().to_send;
    let [Unconfirmed { size: 700, reached: Reached::Offered, .. }] = left[..] else {
        panic!("{left:?}");
    };

    let mut alice = spool(&[(1, 600)]);
    alice.unreadable = sent(&alice);
    let mut pair = Pair::new(alice, Spool::default());
    pair.run();
    let reached: Vec<_> = pair.alices.left().to_send.iter().map(|packet| packet.reached).collect();
    assert_eq!(reached, [Reached::Requested]);
    assert_eq!(pair.bobs.left().to_receive, Total { packets: 1, bytes: 600 });

    let mut pair = Pair::new(spool(&[(1, 600)]), Spool::default());
    pair.bob.judges = false;
    pair.settle();
    let reached: Vec<_> = pair.alices.left().to_send.iter().map(|packet| packet.reached).collect();
    assert_eq!(reached, [Reached::Sent], "and no DONE");
}

#[test]
fn while_a_packet_is_verified_the_session_lasts_and_its_confirmation_arrives() {
    for deadline in [1, 10] {
        let idle = Options { onlinedeadline: Duration::from_secs(deadline), ..Options::default() };
        let mut pair = Pair::with(spool(&[(1, 600)]), Spool::default(), idle.clone(), idle);
        let hash = sent(&pair.alice)[0];
        pair.bob.judges = false;
        let start = pair.now;
        pair.settle();
        while pair.now - start < Duration::from_secs(300) {
            assert!(pair.tick(), "after {:?}", pair.now - start);
            pair.settle();
        }
        pair.bobs.decide(&hash, Decision::Have);
        pair.run();
        assert!(pair.alice.tx.is_empty() && pair.alices.left() == Left::default());
        assert!(pair.alice.odd.is_empty() && pair.bob.odd.is_empty());
        assert!(pair.frames.0.len() + pair.frames.1.len() < 2000, "and says little");
    }
}

#[test]
fn what_was_not_to_be_exchanged_is_not_left() {
    let limited = Options { limit: nice(100), ..Options::default() };
    let only = |flow| Options { flow, ..Options::default() };
    let named = Options { only: Some([PacketHash([1; 32])].into()), ..only(Flow::Receive) };
    for ours in [limited, only(Flow::List), named] {
        let theirs = spool(&[(101, 600)]);
        let mut pair = Pair::with(spool(&[(101, 700)]), theirs, ours, Options::default());
        pair.run();
        assert_eq!(pair.alices.left(), Left::default());
        assert_eq!((pair.alice.rx.len(), pair.bob.rx.len()), (0, 0));
    }
}

#[test]
fn a_damaged_part_is_fetched_again_from_the_start() {
    let alice = spool(&[(1, 5000)]);
    let mut bob = Spool::default();
    bob.parts.insert(*alice.tx.keys().next().unwrap(), vec![0; 2000]);
    let mut pair = Pair::new(alice, bob);
    pair.run();
    assert_eq!(pair.bob.rx.len(), 1);
    assert!(pair.alice.tx.is_empty());
}

#[test]
fn packets_queued_during_the_session_go_with_it() {
    let mut pair = Pair::new(Spool::default(), Spool::default());
    pair.settle();
    pair.alice.queue(3, packet(1, 200_000));
    let total = pair.alices.offer(pair.alice.offers());
    assert_eq!(total, Total { packets: 1, bytes: 200_000 });
    assert_eq!(pair.alices.offer(pair.alice.offers()), Total::default(), "once a session");
    pair.run();
    assert_eq!(pair.bob.rx.len(), 1);
}

#[test]
fn the_most_urgent_packet_arrives_first() {
    let alice = spool(&[(200, 300_000), (50, 300_000), (1, 300_000), (255, 300_000)]);
    let by_urgency = |hash: &PacketHash| alice.tx[hash].0;
    let mut pair = Pair::new(alice.clone(), Spool::default());
    pair.run();
    let order: Vec<u8> = pair.bob.order.iter().map(|hash| by_urgency(hash).get()).collect();
    assert_eq!(order, [1, 50, 200, 255]);
}

#[test]
fn the_niceness_limit_holds_on_both_sides() {
    let limited = |value| Options { limit: nice(value), ..Options::default() };
    for (ours, theirs) in [(100, 255), (255, 100)] {
        let alice = spool(&[(100, 600), (101, 700)]);
        let mut pair = Pair::with(alice, Spool::default(), limited(ours), limited(theirs));
        pair.run();
        assert_eq!(pair.bob.rx.values().map(Vec::len).collect::<Vec<_>>(), [600]);
        assert_eq!(pair.alice.tx.len(), 1, "the other one stays");
    }
}

#[test]
fn one_way_sessions_leave_the_other_way_alone() {
    for (flow, to_bob, to_alice) in [(Flow::Send, 1, 0), (Flow::Receive, 0, 1), (Flow::List, 0, 0)]
    {
        let ours = Options { flow, ..Options::default() };
        let mut pair = Pair::with(spool(&[(1, 600)]), spool(&[(2, 700)]), ours, Options::default());
        pair.run();
        assert_eq!((pair.bob.rx.len(), pair.alice.rx.len()), (to_bob, to_alice), "{flow:?}");
        assert_eq!(pair.alice.listed.len(), usize::from(flow == Flow::List));
    }
}

#[test]
fn only_the_packets_named_are_fetched() {
    let bob = spool(&[(1, 600), (2, 700), (3, 800)]);
    let named = *bob.tx.keys().nth(1).unwrap();
    let ours = Options { only: Some([named].into()), ..Options::default() };
    let mut pair = Pair::with(spool(&[(9, 500)]), bob, ours, Options::default());
    pair.run();
    assert_eq!(received(&pair.alice), [named]);
    assert_eq!(pair.bob.rx.len(), 1, "sending is unaffected");
}

#[test]
fn a_limited_rate_spaces_the_chunks() {
    let slow = Options { txrate: 5, ..Options::default() };
    let mut pair =
        Pair::with(spool(&[(1, 10 * MAX_CHUNK)]), Spool::default(), slow, Options::default());
    let start = pair.now;
    pair.settle();
    while pair.bob.rx.is_empty() {
        assert!(pair.tick());
        pair.settle();
    }
    let took = (pair.now - start).as_millis();
    assert!((1600..=2100).contains(&took), "{took} ms for 10 chunks at 5 a second");
}

#[test]
fn a_limited_reading_rate_spaces_the_messages() {
    let slow = Options { rxrate: 5, ..Options::default() };
    let mut pair =
        Pair::with(spool(&[(1, 10 * MAX_CHUNK)]), Spool::default(), Options::default(), slow);
    let start = pair.now;
    pair.settle();
    while pair.bob.rx.is_empty() {
        assert!(pair.tick());
        pair.settle();
    }
    let took = (pair.now - start).as_millis();
    // The sender does not know the rate, so it begins with small pieces.
    assert!((1600..=4600).contains(&took), "{took} ms for 10 chunks' worth at 5 a second");
}

#[test]
fn a_packet_that_can_not_be_read_does_not_stop_the_others() {
    let mut alice = spool(&[(1, 600), (2, 700)]);
    alice.unreadable = alice.tx.iter().filter(|(_, p)| p.0 == nice(1)).map(|(h, _)| *h).collect();
    let mut pair = Pair::new(alice, Spool::default());
    pair.run();
    assert_eq!(pair.bob.rx.values().map(Vec::len).collect::<Vec<_>>(), [700]);
    assert_eq!(pair.bobs.left().to_receive.packets, 1);
}

#[test]
fn no_handshake_in_time_ends_either_side() {
    let mut pair = Pair::new(Spool::default(), Spool::default());
    let start = pair.now;
    assert!(!pair.tick());
    assert_eq!(pair.now - start, DEADLINE);
    assert_eq!(pair.alices.closed(), Some(Closed::NoHandshake));
    assert_eq!(pair.bobs.closed(), Some(Closed::NoHandshake));
}
