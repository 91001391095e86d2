//! Simulates a day: twenty nodes, lines that delay and break, nodes that restart. Every packet
//! arrives exactly once.

use super::*;
use std::time::Duration;

const NODES: usize = 20;
const DAY: Duration = Duration::from_secs(86_400);

/// Pseudo-random numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// The spools, by node and neighbour.
type Spools = BTreeMap<(usize, usize), Spool>;

/// A call in progress.
struct Call {
    ends: [usize; 2],
    sessions: [Session; 2],
    /// Bytes on their way to each end, with their time of arrival.
    lines: [VecDeque<(Instant, Vec<u8>)>; 2],
    delay: Duration,
    /// The time at which the line breaks.
    breaks: Instant,
}

fn key(node: usize) -> NoisePrivate {
    NoisePrivate::from_bytes([node as u8 + 1; 32])
}

impl Call {
    fn new(
        now: Instant,
        caller: usize,
        called: usize,
        spools: &Spools,
        random: &mut Random,
    ) -> Self {
        let offers = spools[&(caller, called)].offers();
        let options = Options::default;
        let to = key(called).public();
        Self {
            ends: [caller, called],
            sessions: [
                Session::call(now, &key(caller), &to, seed(), DEADLINE, options(), offers),
                Session::answer(now, key(called), seed(), DEADLINE),
            ],
            lines: Default::default(),
            delay: Duration::from_millis(1 + random.below(800)),
            breaks: now + Duration::from_millis(random.below(9_000)),
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        now >= self.breaks || self.sessions.iter().any(|session| session.closed().is_some())
    }

    /// Does everything that is due.
    fn run(&mut self, now: Instant, spools: &mut Spools) {
        loop {
            let mut busy = false;
            for end in 0..2 {
                let (own, peer) = (self.ends[end], self.ends[1 - end]);
                let spool = spools.get_mut(&(own, peer)).unwrap();
                let session = &mut self.sessions[end];
                while self.lines[end].front().is_some_and(|(due, _)| *due <= now) {
                    let (_, bytes) = self.lines[end].pop_front().unwrap();
                    session.handle_input(now, &bytes);
                    busy = true;
                }
                if end == 1
                    && let Some(caller) = session.caller()
                {
                    assert_eq!(caller, key(peer).public());
                    session.accept(now, Options::default(), spool.offers());
                    busy = true;
                }
                session.handle_timeout(now);
                busy |= spool.work(session);
                let mut out = Vec::new();
                // Like a TCP window: a line does not take everything at once.
                if self.lines[1 - end].len() < 4 && session.poll_output(now, &mut out) {
                    self.lines[1 - end].push_back((now + self.delay, out));
                    busy = true;
                }
            }
            if !busy {
                return;
            }
        }
    }

    fn next(&self) -> Instant {
        let sessions = self.sessions.iter().filter_map(Session::poll_timeout);
        let lines = self.lines.iter().filter_map(|line| line.front().map(|(due, _)| *due));
        sessions.chain(lines).fold(self.breaks, Instant::min)
    }
}

/// Queues a packet at a random node for a random neighbour.
fn queue(spools: &mut Spools, seed: u64, random: &mut Random) -> ((usize, usize), PacketHash) {
    let edge = *spools.keys().nth(random.below(spools.len() as u64) as usize).unwrap();
    let len = if random.below(4) == 0 { 700_000 } else { 20_000 };
    let bytes = packet(seed, 480 + random.below(len) as usize);
    let hash = spools.get_mut(&edge).unwrap().queue(1 + random.below(255) as u8, bytes);
    (edge, hash)
}

#[test]
fn twenty_nodes_deliver_every_packet_exactly_once() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut spools = Spools::new();
    for node in 0..NODES {
        for step in [1, 3, 7] {
            let other = (node + step) % NODES;
            spools.insert((node, other), Spool::default());
            spools.insert((other, node), Spool::default());
        }
    }
    let edges: Vec<_> = spools.keys().copied().collect();
    let start = Instant::now();
    let mut now = start;
    let mut calls: Vec<Call> = Vec::new();
    let mut sent = Vec::new();
    let (mut next_call, mut next_restart) = (start, start + Duration::from_secs(600));
    let (mut broken, mut restarts) = (0, 0);

    while now < start + DAY {
        if now >= next_call {
            next_call = now + Duration::from_millis(random.below(60_000));
            // New packets only in the first half of the day, so that the rest is enough to deliver
            // them.
            if now < start + DAY / 2 {
                sent.push(queue(&mut spools, sent.len() as u64, &mut random));
            }
            let (caller, called) = edges[random.below(edges.len() as u64) as usize];
            let busy = |call: &Call| call.ends == [caller, called] || call.ends == [called, caller];
            if !calls.iter().any(busy) {
                calls.push(Call::new(now, caller, called, &spools, &mut random));
            }
        }
        if now >= next_restart {
            next_restart = now + Duration::from_secs(random.below(1200));
            let node = random.below(NODES as u64) as usize;
            calls.retain(|call| !call.ends.contains(&node));
            restarts += 1;
        }
        for call in &mut calls {
            call.run(now, &mut spools);
        }
        broken += calls.iter().filter(|call| now >= call.breaks).count();
        calls.retain(|call| !call.is_over(now));
        let wake = calls.iter().map(Call::next).fold(next_call.min(next_restart), Instant::min);
        now = wake.max(now + Duration::from_millis(1));
    }

    assert!(sent.len() > 500 && broken > 200 && restarts > 50, "a day with some trouble in it");
    for ((from, to), hash) in &sent {
        let arrivals = &spools[&(*to, *from)].arrivals;
        assert_eq!(arrivals.get(hash), Some(&1), "{hash} from {from} to {to}");
    }
    for spool in spools.values() {
        assert!(spool.tx.is_empty(), "every sender was told");
        assert!(spool.odd.is_empty(), "{:?}", spool.odd);
    }
    let resumed: usize = spools
        .values()
        .map(|spool| spool.resumed.iter().filter(|offset| **offset > 0).count())
        .sum();
    assert!(resumed > 10, "some calls broke in the middle of a packet: {resumed}");
}
