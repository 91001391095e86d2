//! What happens to sticks and nodes.

use super::node::Node;
use super::stick::{Stick, id};
use super::world::{LAPTOP, RELAY, RETRY, Shape, VAULT, World};
use crate::spool::Xx;

const STEPS: usize = 220;

impl World {
    pub(super) fn visit(&mut self, place: &str, stick: &mut Stick) {
        match place {
            "laptop" => self.at_laptop(stick),
            "relay" if self.shape != Shape::Direct => self.at_relay(stick),
            "relay" => {}
            _ => self.at_vault(stick),
        }
        self.check(place);
    }

    pub(super) fn carry(&mut self, index: usize, place: &str) {
        let mut stick = self.sticks[index].clone();
        self.visit(place, &mut stick);
        self.sticks[index] = stick;
    }

    pub(super) fn step(&mut self) {
        self.now += 1 + i64::try_from(self.random.next(4)).unwrap();
        let index = usize::try_from(self.random.next(3)).unwrap();
        match self.random.next(1000) {
            0..300 => self.queue(),
            300..500 => {
                self.carry(index, "laptop");
                if self.random.chance(10) {
                    self.drawer.push(self.sticks[index].clone());
                }
            }
            500..640 => self.carry(index, "relay"),
            640..820 => self.carry(index, "vault"),
            820..860 => self.lose(index),
            860..900 => self.damage(index),
            900..930 => self.replay(index),
            930..945 => self.lose_statement(index),
            945..965 => self.open_drawer(),
            965..969 => self.rebuild_vault(),
            969..972 => self.rebuild_relay(),
            972..975 => self.roll_back_vault(),
            975..983 => self.backups.push((self.laptop.copy(), self.book.clone())),
            983..990 => self.vault_backups.push((self.vault.copy(), self.rx.clone())),
            _ => self.roll_back(),
        }
        self.check("step");
    }

    pub(super) fn lose(&mut self, index: usize) {
        let lost = self.sticks[index].id;
        self.sticks[index] = self.fresh_stick();
        if self.random.chance(50) {
            self.laptop.ledger.offer_dead(lost).unwrap();
            self.relay.ledger.offer_dead(lost).unwrap();
        }
    }

    pub(super) fn damage(&mut self, index: usize) {
        let mut stick = self.sticks[index].clone();
        for on in &mut stick.packets {
            on.good &= !self.random.chance(30);
        }
        self.sticks[index] = stick;
    }

    pub(super) fn replay(&mut self, index: usize) {
        if let Some(said) = self.random.pick(&self.replays).cloned() {
            self.sticks[index].said.push(said);
        }
    }

    /// One of several that belong together, perhaps.
    pub(super) fn lose_statement(&mut self, index: usize) {
        let count = self.sticks[index].said.len();
        if count > 0 {
            let lost = usize::try_from(self.random.next(count as u64)).unwrap();
            self.sticks[index].said.remove(lost);
        }
    }

    pub(super) fn open_drawer(&mut self) {
        if let Some(mut stick) = self.random.pick(&self.drawer).cloned() {
            let place = ["laptop", "relay", "vault"];
            let place = self.random.pick(&place).copied().unwrap();
            self.visit(place, &mut stick);
        }
    }

    pub(super) fn rebuild_vault(&mut self) {
        self.vault = Node::new(VAULT);
        self.rx.clear();
        self.processed.clear();
        self.same_vault.clear();
        self.vault_backups.clear();
        self.forget_order();
    }

    /// Its spool, that is: what it processed stays.
    pub(super) fn roll_back_vault(&mut self) {
        let index =
            usize::try_from(self.random.next(self.vault_backups.len().max(1) as u64)).unwrap();
        let Some((node, rx)) = self.vault_backups.get(index) else { return };
        (self.vault, self.rx) = (node.copy(), rx.clone());
        let mut journal = self.vault.ledger.journal(&LAPTOP);
        self.processed.retain(|number| journal.is_done(&id(*number)).unwrap());
        drop(journal);
        self.forget_order();
    }

    /// A packet whose handler needs one that is gone for ever would wait for ever.
    pub(super) fn forget_order(&mut self) {
        self.previous = None;
        for packet in self.packets.values_mut().chain(self.rx.values_mut()) {
            packet.after = None;
        }
        let all =
            self.sticks.iter_mut().chain(&mut self.drawer).flat_map(|stick| &mut stick.packets);
        all.chain(&mut self.outbox.0).for_each(|on| on.packet.after = None);
    }

    pub(super) fn rebuild_relay(&mut self) {
        self.relay = Node::new(RELAY);
        self.outbox = (Vec::new(), Vec::new());
    }

    pub(super) fn roll_back(&mut self) {
        let index = usize::try_from(self.random.next(self.backups.len().max(1) as u64)).unwrap();
        if let Some((node, book)) = self.backups.get(index) {
            (self.laptop, self.book) = (node.copy(), book.clone());
            self.forget_order();
        }
    }

    pub(super) fn run(&mut self) {
        for _ in 0..STEPS {
            self.step();
        }
        for _ in 0..12 {
            self.now += i64::try_from(RETRY).unwrap() + 1;
            for index in 0..3 {
                for place in ["laptop", "relay", "vault", "relay", "laptop"] {
                    self.carry(index, place);
                }
            }
        }
        assert!(self.book.open.is_empty(), "never settled: {:?}", self.book.open);
        assert_eq!(self.relay.open(VAULT), 0, "never passed on");
        let hop = self.first_hop();
        assert_eq!(self.laptop.spool.hashes(&hop, Xx::Tx).unwrap(), []);
        for node in [&self.laptop, &self.relay] {
            for hop in [RELAY, VAULT] {
                let held = node.ledger.layout.held_dir(&hop);
                assert!(crate::disk::files(&held).unwrap().is_empty());
            }
        }
    }
}
