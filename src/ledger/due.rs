//! When a packet is offered again: the rules R1 to R6, and nothing else.
//!
//! Evidence, not time, where there is any: sticks in rotation look like lost ones for weeks.

use super::entry::Entry;
use crate::age;
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::statement::{Lists, MediumId, MediumRead, Need, Waiting};
use std::collections::{HashMap, HashSet};

/// Why a packet is offered again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// R1: the medium it left on was read to its end, and it was not there.
    Missed,
    /// R2: somebody needs it.
    Needed,
    /// R3: the medium it left on is lost.
    Dead,
    /// R4: nobody said anything of it for too long.
    Silent,
    /// R5: its destination was set up anew.
    Anew,
    /// R6: a person asked for it.
    Asked,
}

/// What can make a packet due.
pub(super) enum Event<'a> {
    /// A statement was accepted.
    Said(&'a Said<'a>),
    /// Time has passed. `waits`: the packet lies at its destination or at a relay, waiting; `spoke`:
    /// its destination ever sent a statement.
    Time { now: i64, retry: u64, waits: bool, spoke: bool },
    /// A medium was declared dead, or registered anew.
    Dead(MediumId),
    /// This node has a new ledger.
    Anew(NodeId),
    /// A person wants it.
    Asked,
}

/// What a statement says of packets that are on their way.
pub(super) struct Said<'a> {
    by: NodeId,
    whole: bool,
    media: &'a [MediumRead],
    waits: HashMap<PacketHash, &'a Waiting>,
    needed: HashSet<PacketHash>,
}

impl<'a> Said<'a> {
    /// What these lists of `by` say.
    pub(super) fn new(by: NodeId, lists: &'a Lists) -> Self {
        let waits = lists.waiting.iter().map(|waiting| (waiting.packet, waiting)).collect();
        let needed = lists.waiting.iter().filter_map(|waiting| match waiting.needs {
            Some(Need::Packet(packet)) => Some(packet),
            _ => None,
        });
        Self { by, whole: lists.whole, media: &lists.media, waits, needed: needed.collect() }
    }

    /// The packets that may be due for what waits and needs something, by the speaker's names.
    pub(super) fn needs(&self) -> impl Iterator<Item = PacketHash> {
        let bytes = self.waits.iter().filter(|(_, waiting)| wants_bytes(waiting));
        bytes.map(|(packet, _)| *packet).chain(self.needed.iter().copied())
    }

    /// The media that were read, if that proves anything.
    pub(super) fn media(&self) -> &'a [MediumRead] {
        if self.whole { self.media } else { &[] }
    }
}

/// Whether a followed packet whose bytes we hold is to be offered again, and by which rule.
pub(super) fn due(entry: &Entry, event: &Event<'_>) -> Option<Why> {
    match event {
        Event::Said(said) => said_due(entry, said),
        Event::Time { now, retry, waits, spoke } => {
            let failed = entry.last.as_ref().is_some_and(|word| word.failed);
            let silent = age::seconds(*now, entry.last_word()).is_some_and(|age| age > *retry);
            (*spoke && !*waits && !failed && silent).then_some(Why::Silent)
        }
        Event::Dead(medium) => {
            let on = entry.last_handed()?.medium?.0;
            (on == *medium).then_some(Why::Dead)
        }
        Event::Anew(node) => (entry.to() == *node).then_some(Why::Anew),
        Event::Asked => Some(Why::Asked),
    }
}

fn said_due(entry: &Entry, said: &Said<'_>) -> Option<Why> {
    let &(_, name) = entry.stations.iter().find(|(station, _)| *station == said.by)?;
    match said.waits.get(&name) {
        Some(waiting) if wants_bytes(waiting) => return Some(Why::Needed),
        // It is there.
        Some(_) => return None,
        None => {}
    }
    if said.needed.contains(&name) && said.by == entry.to() {
        return Some(Why::Needed);
    }
    let (medium, session) = entry.last_handed()?.medium?;
    let read = said.media().iter().find(|read| read.medium == medium)?.session;
    // The hop takes its packets from the medium. The destination does not: there it counts that
    // somebody before it had the medium in between.
    let is_hop = entry.hop().0 == said.by;
    let missed = if is_hop { read >= session } else { said.by == entry.to() && read > session };
    (missed && !entry.reached(&said.by)).then_some(Why::Missed)
}

fn wants_bytes(waiting: &Waiting) -> bool {
    matches!(waiting.needs, Some(Need::Bytes | Need::Pieces(_)))
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::{RELAY, VAULT, entry};
    use super::super::entry::{Handed, HandedBy, Word};
    use super::*;
    use packmule_protocol::statement::Name;

    const BLUE: MediumId = Name([1; 16]);
    const RED: MediumId = Name([2; 16]);

    /// A packet for the vault over the relay, on the stick blue since session 7.
    fn sent() -> Entry {
        let mut entry = entry(1);
        entry.note_handed(Handed { at: 2000, by: HandedBy::Medium, medium: Some((RED, 90)) });
        entry.note_handed(Handed { at: 3000, by: HandedBy::Medium, medium: Some((BLUE, 7)) });
        entry
    }

    fn waiting(packet: PacketHash, needs: Option<Need>) -> Waiting {
        Waiting { packet, since: 1, reason: "not tossed yet".to_owned(), needs }
    }

    fn read(medium: MediumId, session: u64) -> MediumRead {
        MediumRead { medium, name: "blue".to_owned(), session, at: 1 }
    }

    fn lists(waiting: Vec<Waiting>, media: Vec<MediumRead>) -> Lists {
        Lists { whole: true, waiting, media, ..Lists::default() }
    }

    fn check(entry: &Entry, by: NodeId, lists: &Lists, want: Option<Why>) {
        let said = Said::new(by, lists);
        assert_eq!(due(entry, &Event::Said(&said)), want, "{lists:?}");
    }

    #[test]
    fn r1_a_medium_that_was_read_without_the_packet() {
        let entry = sent();
        let missed = Some(Why::Missed);
        for (by, medium, session, want) in [
            (RELAY, BLUE, 7, missed),
            (RELAY, BLUE, 8, missed),
            (RELAY, BLUE, 6, None),
            (RELAY, RED, 99, None),
            (VAULT, BLUE, 7, None),
            (VAULT, BLUE, 8, missed),
            (NodeId([9; 32]), BLUE, 8, None),
        ] {
            check(&entry, by, &lists(vec![], vec![read(medium, session)]), want);
        }
        let mut cut = lists(vec![], vec![read(BLUE, 7)]);
        cut.whole = false;
        check(&entry, RELAY, &cut, None);
        let there = waiting(entry.hop().1, None);
        check(&entry, RELAY, &lists(vec![there], vec![read(BLUE, 7)]), None);
        for got in [RELAY, VAULT] {
            let mut passed = sent();
            passed.note_got(got, 3500);
            check(&passed, RELAY, &lists(vec![], vec![read(BLUE, 7)]), None);
        }
        check(
            &super::super::entry::tests::entry(1),
            RELAY,
            &lists(vec![], vec![read(BLUE, 7)]),
            None,
        );
    }

    #[test]
    fn r2_somebody_needs_it() {
        let entry = sent();
        let needed = Some(Why::Needed);
        let (relay, vault, other) = (entry.hop().1, entry.id(), PacketHash([9; 32]));
        for (by, packet, needs, want) in [
            (VAULT, vault, Some(Need::Bytes), needed),
            (VAULT, vault, Some(Need::Pieces(vec![3..=4])), needed),
            (RELAY, relay, Some(Need::Bytes), needed),
            (RELAY, vault, Some(Need::Bytes), None),
            (VAULT, vault, None, None),
            (VAULT, vault, Some(Need::Packet(other)), None),
            (VAULT, vault, Some(Need::Zfs(7)), None),
            (VAULT, other, Some(Need::Packet(vault)), needed),
            (VAULT, other, Some(Need::Packet(other)), None),
            (RELAY, other, Some(Need::Packet(relay)), None),
        ] {
            check(&entry, by, &lists(vec![waiting(packet, needs)], vec![]), want);
        }
    }

    #[test]
    fn r3_its_medium_is_dead() {
        let on = |medium| due(&sent(), &Event::Dead(medium));
        assert_eq!((on(BLUE), on(RED)), (Some(Why::Dead), None));
    }

    #[test]
    fn r4_nobody_said_anything_for_too_long() {
        let at = |entry: &Entry, now, waits, spoke| {
            due(entry, &Event::Time { now, retry: 100, waits, spoke })
        };
        let silent = Some(Why::Silent);
        let mut entry = sent();
        assert_eq!(at(&entry, 3100, false, true), None);
        assert_eq!(at(&entry, 3101, false, true), silent);
        assert_eq!(at(&entry, 3101, true, true), None, "it is there");
        assert_eq!(at(&entry, 3101, false, false), None, "nncp-go would process it twice");
        assert_eq!(at(&entry, 0, false, true), None, "the clock was set back");
        entry.note_got(RELAY, 3050);
        assert_eq!(at(&entry, 3101, false, true), None);
        assert_eq!(at(&entry, 3151, false, true), silent);
        let reason = "exit status 3".to_owned();
        entry.last = Some(Word { by: VAULT, at: 3000, failed: true, reason });
        assert_eq!(at(&entry, 9000, false, true), None, "a person has to look");
    }

    #[test]
    fn r5_and_r6_ask_for_no_evidence() {
        assert_eq!(due(&sent(), &Event::Anew(VAULT)), Some(Why::Anew));
        assert_eq!(due(&sent(), &Event::Anew(RELAY)), None);
        assert_eq!(due(&entry(1), &Event::Asked), Some(Why::Asked));
    }
}
