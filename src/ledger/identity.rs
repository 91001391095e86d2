//! Which ledger this is, and the numbers of its statements.

use super::members::Members;
use super::store::{Ledger, Result};
use crate::disk::{self, DiskError, Op};
use crate::random;
use packmule_protocol::statement::LedgerId;
use serde_json::{Value, json};
use std::io::{self, Read};
use std::path::Path;

/// Bytes of a small file of the ledger that are read.
const MOST: u64 = 64 << 10;

/// Who speaks in our statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Random, made with the ledger.
    pub(crate) ledger: LedgerId,
    /// The last number used.
    pub(crate) last: u64,
}

impl Ledger {
    /// Our identity, if the ledger has one yet.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn identity(&self) -> Result<Option<Identity>> {
        let path = self.layout.identity();
        let Some(bytes) = read_small(&path, MOST)? else { return Ok(None) };
        // Nobody can tell what a damaged one was: a new ledger is safe, as after a loss of the spool.
        Ok(parse(&bytes))
    }

    /// A number for the next statement, greater than all before it; durable on return.
    ///
    /// `micros`: our clock, in microseconds since 1970.
    ///
    /// # Errors
    /// Those of the disk, or no randomness for a new ledger.
    pub(crate) fn next_number(&self, micros: u64) -> Result<Identity> {
        self.change_identity(|identity| identity.last = identity.last.saturating_add(1).max(micros))
    }

    /// Begins a new ledger on the same data: a partner knows more of the old one than we do.
    ///
    /// # Errors
    /// The same.
    pub(super) fn renew_identity(&self) -> Result<Identity> {
        let fresh = new_id()?;
        self.change_identity(|identity| identity.ledger = fresh)
    }

    fn change_identity(&self, change: impl FnOnce(&mut Identity)) -> Result<Identity> {
        let _busy = self.spool.wait_for_lock(&self.layout.identity_busy())?;
        let mut identity = match self.identity()? {
            Some(identity) => identity,
            None => Identity { ledger: new_id()?, last: 0 },
        };
        change(&mut identity);
        let Identity { ledger, last } = identity;
        let text = json!({"ledger": ledger.to_string(), "last": last}).to_string();
        self.spool.replace(&self.layout.identity(), format!("{text}\n").as_bytes())?;
        Ok(identity)
    }
}

fn new_id() -> Result<LedgerId> {
    let mut id = LedgerId::default();
    for half in id.0.chunks_exact_mut(8) {
        half.copy_from_slice(&random::number()?.to_ne_bytes());
    }
    Ok(id)
}

fn parse(bytes: &[u8]) -> Option<Identity> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let members = Members::of(&value)?;
    Some(Identity { ledger: members.parsed("ledger")?, last: members.number("last")? })
}

/// The content of a regular file of at most `most` bytes; `None` without the file. A longer one is cut.
pub(super) fn read_small(path: &Path, most: u64) -> disk::Result<Option<Vec<u8>>> {
    let (file, _) = match disk::open_regular_path(path) {
        Err(error) if error.cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut bytes = Vec::new();
    let read = file.take(most).read_to_end(&mut bytes);
    read.map_err(|cause| DiskError { op: Op::Read, path: path.to_owned(), cause })?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::fault;
    use crate::spool::testing::TestSpool;

    #[test]
    fn numbers_grow_whatever_the_clock_says() {
        let test = TestSpool::new();
        let ledger = Ledger::new(&test.spool);
        assert_eq!(ledger.identity().unwrap(), None);
        assert!(!ledger.exists());
        let first = ledger.next_number(1000).unwrap();
        assert_eq!(first.last, 1000);
        for (clock, want) in [(500, 1001), (1001, 1002), (9000, 9000), (0, 9001)] {
            let next = ledger.next_number(clock).unwrap();
            assert_eq!((next.last, next.ledger), (want, first.ledger));
        }
        assert_eq!(ledger.next_number(u64::MAX).unwrap().last, u64::MAX);
        assert_eq!(ledger.next_number(0).unwrap().last, u64::MAX);
        let renewed = ledger.renew_identity().unwrap();
        assert_ne!(renewed.ledger, first.ledger);
        assert_eq!(ledger.identity().unwrap(), Some(renewed));
    }

    #[test]
    fn a_damaged_identity_is_a_new_ledger() {
        let test = TestSpool::new();
        let ledger = Ledger::new(&test.spool);
        let first = ledger.next_number(1).unwrap();
        for content in ["", "{", "[]", "{\"ledger\":\"AAAA\",\"last\":1}", "{\"last\":-1}"] {
            std::fs::write(ledger.layout.identity(), content).unwrap();
            assert_eq!(ledger.identity().unwrap(), None, "{content}");
        }
        assert_ne!(ledger.next_number(2).unwrap().ledger, first.ledger);
    }

    #[test]
    fn stopped_at_any_step_no_number_comes_twice() {
        fault::at_each_step(|fault, at| {
            let test = TestSpool::new();
            let ledger = Ledger::new(&test.spool);
            let before = ledger.next_number(5).unwrap();
            let (made, reached) = fault::with(fault, at, || ledger.next_number(6));
            let now = ledger.next_number(0).unwrap();
            assert!(now.last > made.map_or(before.last, |made| made.last), "{fault:?} at {at}");
            assert_eq!(now.ledger, before.ledger);
            reached
        });
    }
}
