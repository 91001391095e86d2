//! One line of a backup's file: 128 bytes of text, which no write can tear apart.
//!
//! ```text
//! o DATA QUEUED  SIZE WORD    MEDIUM SESSION PKT     on its way
//! f …                                                the same, and its destination gave up
//! s DATA APPLIED SIZE LEARNED STATEMENT      PKT     settled
//! - …                                                dropped
//! ```

use packmule_protocol::base32;
use packmule_protocol::id::{PacketHash, TEXT_LEN};
use packmule_protocol::statement::MediumId;

/// Bytes of a line, its end included.
pub(super) const LINE: usize = 128;
/// Characters of a medium's name that stand in a line: enough to find candidates.
const TAG: usize = 8;
/// Largest time that a line can hold.
const TIME_MAX: i64 = 999_999_999_999;
/// Where the fields begin.
const DATA: usize = 2;
const SECOND: usize = 15;
const SIZE: usize = 28;
const THIRD: usize = 44;
const FOURTH: usize = 57;
const SESSION: usize = 66;
const ID: usize = 75;

/// A medium's name, shortened.
pub(in crate::ledger) type Tag = [u8; TAG];

/// One packet of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// When its data were read. Never later than they were: times that do not fit are 0.
    pub(super) data: i64,
    pub(super) size: u64,
    /// Its name at its destination, as text.
    pub(super) id: [u8; TEXT_LEN],
    pub(super) state: State,
}

/// What is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody said that it is done.
    Open { queued: i64, word: i64, medium: Option<(Tag, u64)>, failed: bool },
    /// It is: `applied` by the partner's clock, `learned` by ours, in which statement.
    Settled { applied: i64, learned: i64, statement: u64 },
    /// It does not count: it was never published, or forgotten.
    Dropped,
}

/// The name of a packet as it stands in lines.
pub(super) fn text_id(packet: &PacketHash) -> [u8; TEXT_LEN] {
    let mut id = [b'A'; TEXT_LEN];
    id.copy_from_slice(base32::encode(&packet.0).as_bytes());
    id
}

/// The beginning of a medium's name.
pub(in crate::ledger) fn tag(medium: &MediumId) -> Tag {
    let mut tag = [0; TAG];
    tag.copy_from_slice(&medium.to_string().as_bytes()[..TAG]);
    tag
}

impl Line {
    /// The name of the packet.
    pub(super) fn packet(&self) -> Option<PacketHash> {
        PacketHash::from_file_name(std::str::from_utf8(&self.id).ok()?)
    }

    pub(super) fn to_bytes(self) -> [u8; LINE] {
        let Self { data, size, id, state } = self;
        let (mark, second, third) = match state {
            State::Open { queued, word, failed, .. } => {
                (if failed { 'f' } else { 'o' }, queued, word)
            }
            State::Settled { applied, learned, .. } => ('s', applied, learned),
            State::Dropped => ('-', 0, 0),
        };
        let fourth = match state {
            State::Open { medium: Some((tag, session)), .. } => {
                format!("{} {:08}", String::from_utf8_lossy(&tag), session.min(99_999_999))
            }
            State::Settled { statement, .. } => {
                format!("{:017}", statement.min(10_u64.pow(17) - 1))
            }
            _ => format!("-------- {:08}", 0),
        };
        let text = format!(
            "{mark} {:012} {:012} {:015} {:012} {fourth} {}\n",
            fit(data),
            fit(second),
            size.min(10_u64.pow(15) - 1),
            fit(third),
            String::from_utf8_lossy(&id),
        );
        let mut line = [b' '; LINE];
        let len = text.len().min(LINE);
        line[..len].copy_from_slice(&text.as_bytes()[..len]);
        line
    }

    /// Reads a line; `None` if it is none.
    pub(super) fn parse(line: &[u8; LINE]) -> Option<Self> {
        if line == &[0; LINE] {
            // An append that never came to its end: its packet was never published.
            return Some(Self { data: 0, size: 0, id: [b'A'; TEXT_LEN], state: State::Dropped });
        }
        let time = |at: usize| digits(&line[at..at + 12]).and_then(|time| i64::try_from(time).ok());
        let mut id = [0; TEXT_LEN];
        id.copy_from_slice(&line[ID..ID + TEXT_LEN]);
        let (second, third) = (time(SECOND)?, time(THIRD)?);
        let state = match line[0] {
            mark @ (b'o' | b'f') => {
                let (medium, failed) = (medium(line)?, mark == b'f');
                State::Open { queued: second, word: third, medium, failed }
            }
            b's' => {
                let statement = digits(&line[FOURTH..FOURTH + 17])?;
                State::Settled { applied: second, learned: third, statement }
            }
            b'-' => State::Dropped,
            _ => return None,
        };
        let spaced = [1, SECOND - 1, SIZE - 1, THIRD - 1, FOURTH - 1, ID - 1];
        let whole = spaced.iter().all(|at| line[*at] == b' ') && line[LINE - 1] == b'\n';
        let named = id.iter().all(|c| matches!(c, b'A'..=b'Z' | b'2'..=b'7'));
        let size = digits(&line[SIZE..SIZE + 15])?;
        (whole && named).then_some(Self { data: time(DATA)?, size, id, state })
    }
}

/// A time that fits; what is too early or too late for a line does not make its packet younger.
fn fit(time: i64) -> i64 {
    time.clamp(0, TIME_MAX)
}

fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')))
    })
}

/// `Some(None)` without a medium.
fn medium(line: &[u8; LINE]) -> Option<Option<(Tag, u64)>> {
    let mut tag = [0; TAG];
    tag.copy_from_slice(&line[FOURTH..FOURTH + TAG]);
    let session = digits(&line[SESSION..SESSION + 8])?;
    (line[SESSION - 1] == b' ').then_some((tag != [b'-'; TAG]).then_some((tag, session)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(state: State) -> Line {
        Line { data: 1_764_543_210, size: 3_324_000_000, id: text_id(&PacketHash([7; 32])), state }
    }

    const MEDIUM: MediumId = packmule_protocol::statement::Name([9; 16]);

    fn states() -> [State; 4] {
        [
            State::Open { queued: 1, word: 2, medium: None, failed: true },
            State::Open { queued: 1, word: 2, medium: Some((tag(&MEDIUM), 7)), failed: false },
            State::Settled { applied: 3, learned: 4, statement: 1_764_543_210_123_456 },
            State::Settled { applied: 0, learned: TIME_MAX, statement: 0 },
        ]
    }

    #[test]
    fn a_line_reads_back() {
        for state in states() {
            let line = line(state);
            let bytes = line.to_bytes();
            assert_eq!(Line::parse(&bytes), Some(line), "{}", String::from_utf8_lossy(&bytes));
            assert_eq!(line.packet(), Some(PacketHash([7; 32])));
        }
        let text = String::from_utf8(line(states()[1]).to_bytes().to_vec()).unwrap();
        let id = text_id(&PacketHash([7; 32]));
        let id = std::str::from_utf8(&id).unwrap();
        let want = format!(
            "o 001764543210 000000000001 000003324000000 000000000002 BEEQSCIJ 00000007 {id}\n"
        );
        assert_eq!(text, want);
    }

    #[test]
    fn times_that_do_not_fit_make_nothing_younger() {
        for (time, want) in [(-5, 0), (i64::MIN, 0), (i64::MAX, TIME_MAX)] {
            let line = Line { data: time, size: u64::MAX, ..line(states()[0]) };
            let read = Line::parse(&line.to_bytes()).unwrap();
            assert_eq!((read.data, read.size), (want, 999_999_999_999_999));
        }
    }

    #[test]
    fn every_altered_byte_that_matters_is_noticed() {
        let bytes = line(states()[1]).to_bytes();
        for at in 0..LINE {
            for byte in [0, b' ', b'x', b'\n', 0xff] {
                let mut altered = bytes;
                altered[at] = byte;
                let is_tag = (FOURTH..FOURTH + TAG).contains(&at);
                assert!(altered == bytes || is_tag || Line::parse(&altered).is_none(), "{at}");
            }
        }
        let dropped = Line::parse(&[0; LINE]).map(|line| line.state);
        assert_eq!(dropped, Some(State::Dropped));
        assert_eq!(Line::parse(&[b' '; LINE]), None);
    }
}
