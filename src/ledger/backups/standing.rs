//! How a backup stands, by one reading of its file.

use super::super::store::Result;
use super::file::{each, read_header};
use super::line::{Line, State};
use crate::age;
use packmule_protocol::id::PacketHash;
use std::fs::File;
use std::path::Path;

/// How a backup stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    /// Its name; empty for the packets that we pass on.
    pub(crate) backup: String,
    /// When its first packet was queued, or when all proof of it was lost.
    pub(crate) since: i64,
    /// Packets that are on their way.
    pub(crate) open: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// When the oldest of them was queued.
    pub(crate) oldest: Option<i64>,
    /// What is proven.
    pub(crate) proven: Option<Evidence>,
    /// Data of this time are there, but older ones are missing.
    pub(crate) ahead: Option<i64>,
    /// Packets among them that their destination gave up.
    pub(crate) failed: u64,
    /// The file holds something that packmule did not write: nothing is known for sure.
    pub(crate) damaged: bool,
}

/// What proves a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// When the data were read, by our clock.
    pub(crate) data: i64,
    /// When their effect was durable, by the partner's clock.
    pub(crate) applied: i64,
    /// When we read that, by our clock.
    pub(crate) learned: i64,
    /// In the statement of this number.
    pub(crate) statement: u64,
    /// The packet.
    pub(crate) packet: PacketHash,
}

impl Standing {
    /// Reads the file of a backup.
    pub(super) fn read(path: &Path) -> Result<Self> {
        read(path)
    }

    /// Seconds since what is proven was so, or since the backup began; `None` if it is not known.
    pub(crate) fn age(&self, now: i64) -> Option<u64> {
        if self.damaged {
            return None;
        }
        let since = |then| age::seconds(now, then);
        match &self.proven {
            Some(Evidence { data, learned, .. }) => Some(since(*data)?.max(since(*learned)?)),
            None => since(self.since),
        }
    }
}

fn read(path: &Path) -> Result<Standing> {
    let Some((file, header)) = read_header(path)? else { return Ok(Standing::default()) };
    let mut standing =
        Standing { backup: header.backup, since: header.since, ..Standing::default() };
    // The oldest data that are not settled, and the newest that are settled and queued before
    // anything that is not.
    let (mut missing, mut newest) = (i64::MAX, None);
    let mut latest = None;
    each(&file, path, header.len, |_, line| {
        match line {
            None => standing.damaged = true,
            Some(line) => count(&mut standing, &line, &mut missing, &mut newest, &mut latest),
        }
        Ok(())
    })?;
    standing.proven = match newest {
        Some(line) if line.data >= missing => before(&file, path, header.len, missing)?,
        other => other,
    }
    .and_then(|line| evidence(&line));
    standing.ahead = latest.filter(|latest| Some(*latest) > standing.proven.map(|p| p.data));
    Ok(standing)
}

fn count(
    standing: &mut Standing,
    line: &Line,
    missing: &mut i64,
    newest: &mut Option<Line>,
    latest: &mut Option<i64>,
) {
    match line.state {
        State::Open { queued, failed, .. } => {
            standing.failed += u64::from(failed);
            standing.open += 1;
            standing.bytes = standing.bytes.saturating_add(line.size);
            standing.oldest = Some(standing.oldest.map_or(queued, |oldest| oldest.min(queued)));
            *missing = line.data.min(*missing);
        }
        State::Settled { .. } => {
            *latest = Some(latest.map_or(line.data, |latest| latest.max(line.data)));
            let proves = *missing == i64::MAX && is_timely(line);
            if proves && newest.is_none_or(|newest| newest.data < line.data) {
                *newest = Some(*line);
            }
        }
        State::Dropped => {}
    }
}

/// The newest settled packet whose data are older than `missing`, of those queued before anything
/// that is missing.
fn before(file: &File, path: &Path, header: u64, missing: i64) -> Result<Option<Line>> {
    let (mut newest, mut blocked) = (None::<Line>, false);
    each(file, path, header, |_, line| {
        let Some(line) = line else { return Ok(()) };
        blocked |= matches!(line.state, State::Open { .. });
        let settled = matches!(line.state, State::Settled { .. }) && is_timely(&line);
        if settled && !blocked && line.data < missing {
            newest = newest.filter(|newest| newest.data >= line.data).or(Some(line));
        }
        Ok(())
    })?;
    Ok(newest)
}

/// Data that are younger than the news of them were dated by a clock that was wrong.
fn is_timely(line: &Line) -> bool {
    matches!(line.state, State::Settled { learned, .. } if line.data <= learned)
}

fn evidence(line: &Line) -> Option<Evidence> {
    let State::Settled { applied, learned, statement } = line.state else { return None };
    Some(Evidence { data: line.data, applied, learned, statement, packet: line.packet()? })
}
