//! What the ledger says of one partner.

use crate::age;
use crate::config::Neighbour;
use crate::ledger::{Entry, Heard, LedgerError, Place, Standing};
use crate::local::Local;
use packmule_protocol::statement::Waiting;

/// One partner.
pub(super) struct Partner<'a> {
    pub(super) neighbour: &'a Neighbour,
    pub(super) heard: Option<Heard>,
    pub(super) backups: Vec<Backup>,
    /// Packets of ours that wait at it, with their backups.
    pub(super) waiting: Vec<(Waiting, String)>,
    /// Packets on their way that belong to no backup.
    pub(super) others: Standing,
    /// Seconds for which a partner may be silent.
    retry: u64,
}

/// One backup, and the limit of its age.
pub(super) struct Backup {
    pub(super) standing: Standing,
    /// Seconds.
    pub(super) limit: Option<u64>,
}

impl<'a> Partner<'a> {
    /// Reads the ledger. `max_age` replaces the configured limits.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn read(
        local: &Local,
        neighbour: &'a Neighbour,
        max_age: Option<u64>,
    ) -> Result<Self, LedgerError> {
        let ledger = &local.ledger;
        let terms = neighbour.proof.asked().cloned().unwrap_or_default();
        let heard = ledger.heard(&neighbour.id)?;
        let mut backups = Vec::new();
        let mut others = Standing::default();
        for standing in ledger.standings(&neighbour.id)? {
            if standing.backup.is_empty() {
                others = standing;
                continue;
            }
            let limit = max_age.or_else(|| terms.limit(&standing.backup));
            backups.push(Backup { standing, limit });
        }
        let mut waiting = Vec::new();
        for one in heard.iter().flat_map(|heard| &heard.lists.waiting) {
            if let Some(entry) = ledger.find(&neighbour.id, &one.packet)? {
                waiting.push((one.clone(), entry.backup));
            }
        }
        Ok(Self { neighbour, heard, backups, waiting, others, retry: terms.retry })
    }

    /// All that is on its way to it: packets and bytes.
    pub(super) fn under_way(&self) -> (u64, u64) {
        let all = self.backups.iter().map(|backup| &backup.standing).chain([&self.others]);
        all.fold((0, 0), |(packets, bytes), one| (packets + one.open, bytes + one.bytes))
    }

    /// Whether packets were kept for longer than a partner may be silent, and it never spoke.
    pub(super) fn is_mute(&self, now: i64) -> bool {
        let all = self.backups.iter().map(|backup| &backup.standing).chain([&self.others]);
        let oldest = all.filter_map(|one| one.oldest).min();
        let age = oldest.and_then(|oldest| age::seconds(now, oldest));
        self.heard.is_none() && age.is_some_and(|age| age > self.retry)
    }

    /// Whether something is not known, or failed.
    pub(super) fn is_unsure(&self, now: i64) -> bool {
        let backups = &self.backups;
        self.is_mute(now)
            || self.heard.as_ref().is_some_and(|heard| heard.claim.is_some())
            || self.others.failed > 0
            || backups.iter().any(|one| one.standing.failed > 0 || one.age(now).is_none())
    }

    /// Shows `look` each packet that is on its way, and where its bytes are.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn each_packet(
        &self,
        local: &Local,
        mut look: impl FnMut(&Entry, Place),
    ) -> Result<(), LedgerError> {
        local.ledger.each_followed(&self.neighbour.id, |entry| {
            look(&entry, local.ledger.place(&entry));
            Ok(())
        })
    }
}

impl Backup {
    /// Its age, in seconds; `None` if it is not known.
    pub(super) fn age(&self, now: i64) -> Option<u64> {
        self.standing.age(now)
    }

    /// Whether it is older than its limit.
    pub(super) fn is_old(&self, now: i64) -> bool {
        self.age(now).zip(self.limit).is_some_and(|(age, limit)| age > limit)
    }
}
