//! Changing the file of a backup.

use super::super::entry::Entry;
use super::super::store::{Ledger, Result};
use super::file::{Header, each, header, read_header};
use super::line::{LINE, Line, State, text_id};
use super::standing::Standing;
use crate::disk::{DiskError, Op};
use crate::spool::{Growing, Replacement};
use packmule_protocol::id::TEXT_LEN;
use std::path::{Path, PathBuf};

/// A file that is changed. The lock of its destination is held.
pub(super) struct Lines {
    pub(super) file: Growing,
    pub(super) path: PathBuf,
    pub(super) header: Header,
}

impl Lines {
    pub(super) fn open(ledger: &Ledger, path: PathBuf) -> Result<Self> {
        let (_, header) = read_header(&path)?.ok_or_else(|| gone(&path))?;
        Ok(Self { file: ledger.spool.growing(&path)?, path, header })
    }

    /// Appends a line, durably; its number.
    pub(super) fn append(&mut self, line: Line) -> Result<u64> {
        let torn = (self.file.len() - self.header.len) % LINE as u64;
        if torn > 0 {
            self.file.truncate(self.file.len() - torn)?;
        }
        let number = (self.file.len() - self.header.len) / LINE as u64;
        self.file.append(&line.to_bytes())?;
        Ok(number)
    }

    pub(super) fn put(&self, number: u64, line: Line) -> Result<()> {
        Ok(self.file.write_at(self.header.len + number * LINE as u64, &line.to_bytes())?)
    }

    /// The number of the line of a packet that is on its way.
    pub(super) fn find(&self, entry: &Entry) -> Result<Option<u64>> {
        let wanted: [u8; TEXT_LEN] = text_id(&entry.id());
        let is_it = |line: &Line| line.id == wanted && matches!(line.state, State::Open { .. });
        if self.line(entry.line)?.is_some_and(|line| is_it(&line)) {
            return Ok(Some(entry.line));
        }
        let mut found = None;
        self.each(|number, line| {
            if line.is_some_and(|line| is_it(&line)) {
                found = Some(number);
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn line(&self, number: u64) -> Result<Option<Line>> {
        let mut line = [0; LINE];
        let at = number.saturating_mul(LINE as u64).saturating_add(self.header.len);
        let read = at < self.file.len() && self.file.read_at(at, &mut line)? == LINE;
        Ok(read.then(|| Line::parse(&line)).flatten())
    }

    pub(super) fn each(&self, look: impl FnMut(u64, Option<Line>) -> Result<()>) -> Result<()> {
        each(self.file.file(), &self.path, self.header.len, look)
    }

    /// Leaves out the lines that prove nothing and are on their way to nowhere.
    pub(super) fn compact(&self, ledger: &Ledger) -> Result<()> {
        let standing = Standing::read(&self.path)?;
        if standing.damaged {
            return Ok(());
        }
        let mut new = ledger.spool.replacement(&self.path)?;
        new.write(&header(&self.header.backup, self.header.since))?;
        self.each(|_, line| self.keep(line, &standing, &mut new))?;
        Ok(new.commit()?)
    }

    fn keep(&self, line: Option<Line>, now: &Standing, new: &mut Replacement) -> Result<()> {
        let Some(line) = line else { return Ok(()) };
        let kept = match line.state {
            State::Open { .. } => true,
            State::Dropped => false,
            State::Settled { .. } => match &now.proven {
                Some(proven) => line.data > proven.data || line.packet() == Some(proven.packet),
                None => true,
            },
        };
        if kept { Ok(new.write(&line.to_bytes())?) } else { Ok(()) }
    }
}

fn gone(path: &Path) -> DiskError {
    DiskError { op: Op::Open, path: path.to_owned(), cause: std::io::ErrorKind::NotFound.into() }
}
