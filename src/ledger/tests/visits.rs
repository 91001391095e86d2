//! What a stick's visit does at each node.

use super::stick::{Packet, Said, Stick, Travelling, id, waiting};
use super::world::{LAPTOP, RELAY, RETRY, Shape, VAULT, World};
use crate::ledger::entry::Kind;
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::statement::{Need, Outcome, Waiting};

impl World {
    pub(super) fn at_laptop(&mut self, stick: &mut Stick) {
        for said in stick.take_said(LAPTOP) {
            let Some(believed) = self.accept(&said) else { continue };
            if believed.anew && said.from == VAULT {
                self.book.settled.clear();
            }
            for packet in &believed.settled.done {
                let number = self.packets[packet].number;
                assert!(self.book.open.remove(&number).is_some(), "{number} is settled twice");
                self.book.settled.insert(number);
            }
        }
        self.laptop.has_read(stick);
        self.laptop.ledger.offer_silent(&VAULT, RETRY, self.now).unwrap();
        stick.session += 1;
        let hop = self.first_hop();
        self.laptop.put(hop, 0, stick, &self.packets, self.now);
        self.say(LAPTOP, VAULT, hop, Vec::new(), stick);
        if self.shape == Shape::Custody {
            self.say(LAPTOP, RELAY, RELAY, Vec::new(), stick);
        }
    }

    pub(super) fn say(
        &mut self,
        from: NodeId,
        to: NodeId,
        hop: NodeId,
        waiting: Vec<Waiting>,
        stick: &mut Stick,
    ) {
        let node = match from {
            LAPTOP => &self.laptop,
            RELAY => &self.relay,
            _ => &self.vault,
        };
        let mut lists = node.lists(waiting);
        node.ledger.add_under_way(&to, &mut lists).unwrap();
        let all = node.ledger.statements(&to, lists, &[], self.micros()).unwrap();
        let keep = all.last().cloned().map(|statement| Said { from, to, hop: to, statement });
        self.replays.extend(keep);
        stick.say(from, to, hop, all);
    }

    pub(super) fn at_relay(&mut self, stick: &mut Stick) {
        for said in stick.take_said(RELAY) {
            if said.to == RELAY {
                self.accept(&said);
            } else {
                self.outbox.1.push(Said { hop: said.to, ..said });
            }
        }
        for on in stick.take_packets(RELAY) {
            match self.shape {
                Shape::Custody => self.pass_on(&on),
                // A damaged packet stays, and is found damaged for ever.
                _ if on.good => self.outbox.0.push(Travelling { at: 1, ..on }),
                _ => {}
            }
        }
        self.relay.has_read(stick);
        stick.session += 1;
        if self.shape == Shape::Custody {
            self.relay.ledger.offer_silent(&VAULT, RETRY, self.now).unwrap();
            self.relay.put(VAULT, 1, stick, &self.packets, self.now);
            let damaged =
                self.relay.damaged.iter().map(|packet| waiting(*packet, Some(Need::Bytes)));
            let damaged = damaged.collect();
            self.say(RELAY, LAPTOP, LAPTOP, damaged, stick);
            self.say(RELAY, VAULT, VAULT, Vec::new(), stick);
        }
        let (packets, said) = std::mem::take(&mut self.outbox);
        stick.packets.extend(packets);
        stick.said.extend(said);
    }

    pub(super) fn pass_on(&mut self, on: &Travelling) {
        let name = on.packet.names[0].1;
        if !on.good {
            self.relay.damaged.insert(name);
            return;
        }
        self.relay.damaged.remove(&name);
        let entry = self.entry(vec![on.packet.names[1]], Kind::Passed, "");
        self.relay.follow(entry);
        if !self.relay.owes(LAPTOP, &name) {
            self.relay.append(LAPTOP, name, Outcome::Got);
        }
    }

    pub(super) fn at_vault(&mut self, stick: &mut Stick) {
        for said in stick.take_said(VAULT) {
            self.accept(&said);
            self.note_ledger();
        }
        for on in stick.take_packets(VAULT) {
            self.arrive(on);
        }
        self.vault.has_read(stick);
        while let Some(number) = self.applicable() {
            self.apply(number);
        }
        stick.session += 1;
        let heard = |node| self.vault.ledger.heard(&node).unwrap().is_some();
        let (laptop, relay) = (heard(LAPTOP), heard(RELAY));
        let waits =
            |packet: &Packet| waiting(packet.id(), packet.after.map(|n| Need::Packet(id(n))));
        let mut waiting_here: Vec<_> = self.rx.values().map(waits).collect();
        let damaged: Vec<_> =
            self.vault.damaged.iter().map(|packet| waiting(*packet, Some(Need::Bytes))).collect();
        if self.shape != Shape::Blind {
            waiting_here.extend(damaged);
        }
        if laptop {
            let hop = if self.shape == Shape::Direct { LAPTOP } else { RELAY };
            self.say(VAULT, LAPTOP, hop, waiting_here.clone(), stick);
        }
        if relay {
            self.say(VAULT, RELAY, RELAY, waiting_here, stick);
        }
    }

    /// A ledger that the vault goes on with has processed what the former one had.
    pub(super) fn note_ledger(&mut self) {
        let Some(ledger) = self.vault.speaks_as() else { return };
        if self.ledgers.contains(&ledger) {
            return;
        }
        let former = self.ledgers.last().filter(|former| self.same_vault.contains(*former));
        let done = former.and_then(|former| self.truth.get(former)).cloned().unwrap_or_default();
        self.truth.insert(ledger, done);
        self.ledgers.push(ledger);
        self.same_vault.insert(ledger);
    }

    pub(super) fn arrive(&mut self, on: Travelling) {
        let packet = on.packet.id();
        if self.vault.ledger.journal(&LAPTOP).is_done(&packet).unwrap() {
            self.vault.damaged.remove(&packet);
            if !self.vault.owes(LAPTOP, &packet) {
                self.vault.append(LAPTOP, packet, Outcome::Done { again: true });
            }
            self.tell_relay(packet);
        } else if on.good {
            self.vault.damaged.remove(&packet);
            self.rx.insert(on.packet.number, on.packet);
            self.tell_relay(packet);
        } else {
            self.vault.damaged.insert(packet);
        }
    }

    pub(super) fn tell_relay(&mut self, packet: PacketHash) {
        if self.shape == Shape::Custody && !self.vault.owes(RELAY, &packet) {
            self.vault.append(RELAY, packet, Outcome::Got);
        }
    }

    pub(super) fn applicable(&self) -> Option<u32> {
        let mut journal = self.vault.ledger.journal(&LAPTOP);
        let mut is_done = |number| journal.is_done(&id(number)).unwrap();
        let ready = |packet: &&Packet| packet.after.is_none_or(&mut is_done);
        self.rx.values().find(ready).map(|packet| packet.number)
    }

    pub(super) fn apply(&mut self, number: u32) {
        self.rx.remove(&number);
        if self.vault.speaks_as().is_none() {
            self.vault.ledger.next_number(self.micros()).unwrap();
        }
        self.note_ledger();
        assert!(self.processed.insert(number), "{number} is processed twice");
        let ledger = self.vault.speaks_as().unwrap();
        self.truth.entry(ledger).or_default().insert(number);
        self.vault.append(LAPTOP, id(number), Outcome::Done { again: false });
    }
}
