//! What must hold at every moment.

use super::world::{VAULT, World};
use crate::ledger::backups::Standing;
use std::collections::BTreeSet;

impl World {
    /// What must hold at every moment.
    pub(super) fn check(&mut self, event: &str) {
        assert_eq!(self.laptop.open(VAULT), self.book.open.len() as u64, "{event}");
        let Some(heard) = self.laptop.ledger.heard(&VAULT).unwrap() else { return };
        let generation = self.ledgers.iter().position(|ledger| *ledger == heard.ledger);
        if let Some(generation) = generation {
            assert!(generation >= self.book.believed, "{event}: a ledger that is gone is believed");
            self.book.believed = generation;
        }
        let none = BTreeSet::new();
        let applied = self.truth.get(&heard.ledger).unwrap_or(&none);
        let wrong: Vec<_> = self.book.settled.difference(applied).collect();
        assert!(wrong.is_empty(), "{event}: settled and not processed: {wrong:?}");
        for Standing { backup, proven, .. } in self.laptop.ledger.standings(&VAULT).unwrap() {
            let Some(proven) = proven else { continue };
            let number = self.packets[&proven.packet].number;
            assert!(self.book.settled.contains(&number), "{event}: {number} proves {backup}");
            let of_it = |number: &u32| format!("backup {}", number % 2) == backup;
            let missing = self.book.open.iter().filter(|(number, _)| of_it(number));
            for (number, data) in missing {
                assert!(*data > proven.data, "{event}: {backup} is younger than {number}");
            }
        }
    }
}
