//! What a partner said: its newest statement, and which ledgers spoke for it.

use super::identity::read_small;
use super::members::Members;
use super::store::{Ledger, Result};
use packmule_protocol::id::NodeId;
use packmule_protocol::statement::{Head, LedgerId, Lists, PAYLOAD_MAX, Statement};
use serde_json::{Value, json};

/// Bytes of a file that are read: a statement, and our own line before it.
const MOST: u64 = 2 * PAYLOAD_MAX as u64;
/// Former ledgers of a partner that are remembered.
const RETIRED_MAX: usize = 16;

/// What a partner said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Heard {
    /// The ledger that speaks for it.
    pub(crate) ledger: LedgerId,
    /// The number of its newest statement that we believe.
    pub(crate) number: u64,
    /// When that was made, by its clock.
    pub(crate) made: i64,
    /// When we read it, by ours.
    pub(crate) learned: i64,
    /// What it can read beyond the first version of statements.
    pub(crate) can: Vec<String>,
    /// Up to which number we have its receipts.
    pub(crate) upto: u64,
    /// Up to which number it has ours.
    pub(crate) theirs: u64,
    /// Its lists that were whole last.
    pub(crate) lists: Lists,
    /// Another ledger that claims to speak for it: nothing is believed until a person decides.
    pub(crate) claim: Option<LedgerId>,
    /// Its former ledgers, the newest last.
    retired: Vec<LedgerId>,
}

/// What a statement is, by its ledger and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The first of this partner.
    First,
    /// The next of the ledger that speaks for it.
    Next,
    /// It was overtaken by another: a replay, or sticks that were swapped.
    Old,
    /// The first of a new ledger: the partner was set up anew.
    Anew,
    /// Two nodes claim to be the partner.
    Conflict,
}

impl Heard {
    /// What the first statement of a ledger begins: nothing of it is believed yet.
    pub(super) fn begin(ledger: LedgerId) -> Self {
        Self { ledger, ..Self::default() }
    }

    /// The partner's former ledger is retired, and a new one speaks for it.
    pub(super) fn succeed(&mut self, ledger: LedgerId) {
        let mut retired = std::mem::take(&mut self.retired);
        retired.retain(|former| ![self.ledger, ledger].contains(former));
        retired.push(self.ledger);
        let extra = retired.len().saturating_sub(RETIRED_MAX);
        retired.drain(..extra);
        *self = Self { retired, ..Self::begin(ledger) };
    }

    /// A person decided that `ledger` speaks for the partner; whether that is another one than before.
    pub(super) fn decide(&mut self, ledger: LedgerId) -> bool {
        let other = self.claim.take();
        if ledger != self.ledger {
            self.succeed(ledger);
            return true;
        }
        self.retired.retain(|former| Some(*former) != other);
        self.retired.extend(other);
        false
    }

    /// Takes what a believed statement says, its receipts aside.
    pub(super) fn take(&mut self, statement: &Statement, theirs: u64, now: i64) {
        let Statement { head: Head { number, made, can, slice, .. }, lists, .. } = statement;
        (self.number, self.made, self.learned) = (*number, *made, now);
        (self.can, self.theirs) = (can.clone(), theirs);
        // If receipts before the slice are missing they were lost with their journal, or come later.
        if slice.after <= self.upto || slice.first > self.upto.saturating_add(1) {
            self.upto = self.upto.max(slice.upto);
        }
        match lists.whole {
            true => self.lists = lists.clone(),
            false => self.lists.sum = lists.sum.or(self.lists.sum),
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')? + 1;
        let value: Value = serde_json::from_slice(&bytes[..end]).ok()?;
        let members = Members::of(&value)?;
        let Statement { head, lists, .. } = Statement::from_bytes(&bytes[end..]).ok()?;
        let Head { ledger, number, made, can, .. } = head;
        Some(Self {
            ledger,
            number,
            made,
            learned: members.time("learned")?,
            can,
            upto: members.number("upto")?,
            theirs: members.number("theirs")?,
            lists,
            claim: match members.get("claim") {
                Some(claim) => Some(claim.as_str()?.parse().ok()?),
                None => None,
            },
            retired: members.list("retired", |ledger| ledger.as_str()?.parse().ok()),
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut own = json!({
            "upto": self.upto,
            "theirs": self.theirs,
            "learned": self.learned,
            "retired": self.retired.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        if let Some(claim) = self.claim {
            own["claim"] = json!(claim.to_string());
        }
        let Self { ledger, number, made, .. } = *self;
        let head = Head { ledger, number, made, can: self.can.clone(), ..Head::default() };
        let said = Statement { head, receipts: Vec::new(), lists: self.lists.clone() };
        let mut bytes = format!("{own}\n").into_bytes();
        bytes.extend(said.to_bytes());
        bytes
    }
}

/// What a statement with this head is.
pub(super) fn judge(heard: Option<&Heard>, head: &Head) -> Verdict {
    let Some(heard) = heard else { return Verdict::First };
    let newer = head.number > heard.number;
    let retired = heard.retired.contains(&head.ledger);
    match () {
        // Nothing is believed, of neither of them.
        () if heard.claim.is_some() => Verdict::Conflict,
        () if head.ledger == heard.ledger && newer => Verdict::Next,
        () if head.ledger == heard.ledger => Verdict::Old,
        () if retired && newer => Verdict::Conflict,
        () if retired => Verdict::Old,
        () if newer => Verdict::Anew,
        () => Verdict::Conflict,
    }
}

impl Ledger {
    /// What `node` said, if it ever did.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn heard(&self, node: &NodeId) -> Result<Option<Heard>> {
        let bytes = read_small(&self.layout.have(node), MOST)?;
        // Of a damaged file nothing is believed: the partner's next statement is its first.
        Ok(bytes.and_then(|bytes| Heard::parse(&bytes)))
    }

    /// Whether `node` ever sent a statement.
    pub(crate) fn has_heard(&self, node: &NodeId) -> bool {
        self.layout.have(node).exists()
    }

    pub(super) fn save_heard(&self, node: &NodeId, heard: &Heard) -> Result<()> {
        Ok(self.spool.replace(&self.layout.have(node), &heard.to_bytes())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::testing::{NODE, TestSpool};
    use packmule_protocol::id::PacketHash;
    use packmule_protocol::statement::{Name, Slice, Sum, Waiting};

    const A: LedgerId = Name([1; 16]);
    const B: LedgerId = Name([2; 16]);
    const C: LedgerId = Name([3; 16]);

    fn head(ledger: LedgerId, number: u64) -> Head {
        Head { ledger, number, ..Head::default() }
    }

    /// The partner's ledger is B at number 10; A was before it.
    fn heard() -> Heard {
        let mut heard = Heard::begin(A);
        heard.number = 5;
        heard.succeed(B);
        heard.number = 10;
        heard
    }

    #[test]
    fn a_statement_is_judged_by_its_ledger_and_number() {
        use Verdict::{Anew, Conflict, First, Next, Old};
        assert_eq!(judge(None, &head(A, 0)), First);
        for (ledger, number, want) in [
            (B, 11, Next),
            (B, 10, Old),
            (B, 0, Old),
            (C, 11, Anew),
            (C, 10, Conflict),
            (C, 0, Conflict),
            (A, 10, Old),
            (A, 5, Old),
            (A, 11, Conflict),
            (B, u64::MAX, Next),
        ] {
            assert_eq!(judge(Some(&heard()), &head(ledger, number)), want, "{ledger} {number}");
            let disputed = Heard { claim: Some(C), ..heard() };
            assert_eq!(judge(Some(&disputed), &head(ledger, number)), Conflict);
        }
    }

    #[test]
    fn a_person_decides_between_two() {
        let disputed = Heard { claim: Some(C), ..heard() };
        let mut stays = disputed.clone();
        assert!(!stays.decide(B));
        assert_eq!(judge(Some(&stays), &head(B, 11)), Verdict::Next);
        assert_eq!(judge(Some(&stays), &head(C, 3)), Verdict::Old);
        assert_eq!(judge(Some(&stays), &head(C, 12)), Verdict::Conflict);
        let mut other = disputed;
        assert!(other.decide(C));
        assert_eq!((other.ledger, other.number, other.claim), (C, 0, None));
        assert_eq!(judge(Some(&other), &head(C, 1)), Verdict::Next);
        assert_eq!(judge(Some(&other), &head(B, 0)), Verdict::Old);
    }

    #[test]
    fn former_ledgers_are_bounded() {
        let mut heard = Heard::begin(A);
        for number in 0..100 {
            heard.succeed(Name([number; 16]));
        }
        assert_eq!(heard.retired.len(), RETIRED_MAX);
        assert!(!heard.retired.contains(&heard.ledger));
    }

    #[test]
    fn receipts_are_counted_where_none_is_missing() {
        for (first, after, upto, want) in [
            (1, 88, 90, 90),
            (1, 80, 90, 90),
            (1, 89, 95, 88),
            (90, 95, 99, 99),
            (89, 95, 99, 88),
            (1, 10, 20, 88),
            (u64::MAX, u64::MAX, u64::MAX, u64::MAX),
        ] {
            let mut heard = Heard { upto: 88, ..heard() };
            let head = Head { slice: Slice { first, after, upto }, ..head(B, 11) };
            heard.take(&Statement { head, ..Statement::default() }, 0, 7);
            assert_eq!(heard.upto, want, "{first} {after} {upto}");
        }
    }

    #[test]
    fn only_whole_lists_replace_the_former() {
        let waiting = |byte| Waiting {
            packet: PacketHash([byte; 32]),
            since: 1,
            reason: "no space".to_owned(),
            needs: None,
        };
        let lists = |byte, whole| Lists {
            whole,
            waiting: vec![waiting(byte)],
            sum: Some(Sum { packets: byte.into(), bytes: 1, oldest: 1 }),
            ..Lists::default()
        };
        let mut heard = heard();
        for (byte, whole, want) in [(1, true, 1), (2, false, 1), (3, true, 3)] {
            let said = Statement { lists: lists(byte, whole), ..Statement::default() };
            heard.take(&said, 0, 7);
            assert_eq!(heard.lists.waiting, [waiting(want)]);
            assert_eq!(heard.lists.sum.unwrap().packets, u64::from(byte));
        }
        let test = TestSpool::new();
        let ledger = Ledger::new(&test.spool);
        heard.claim = Some(C);
        assert_eq!(ledger.heard(&NODE).unwrap(), None);
        ledger.save_heard(&NODE, &heard).unwrap();
        assert_eq!(ledger.heard(&NODE).unwrap(), Some(heard));
        let path = ledger.layout.have(&NODE);
        let whole = std::fs::read(&path).unwrap();
        for end in [0, 1, 40, whole.len() / 2, whole.len() - 5] {
            std::fs::write(&path, &whole[..end]).unwrap();
            let torn = ledger.heard(&NODE).unwrap();
            assert_eq!(torn, None, "{end}");
        }
    }
}
