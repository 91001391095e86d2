//! Processes received packets.
//!
//! ```text
//! cycle -> run      processes the queues, most urgent packets first
//!          packet   processes one packet: authenticates it, processes it, removes it
//!          act      passes it to the file of its kind: file, freq, exec, trns, area, ack
//! ```
//!
//! A packet is removed after its effect is durable. It stays if anything failed.

mod ack;
mod acknowledge;
mod answer;
mod area;
mod arrival;
mod builtin;
mod cycle;
mod exec;
mod file;
mod freq;
mod notify;
mod options;
mod outcome;
mod packet;
mod proof;
mod report;
mod run;
mod staged;
mod statement;
mod trns;
mod zfs_waiting;

pub(crate) use answer::answer;
pub use options::{Options, Toss};
pub use report::Report;

use arrival::{Arrival, Reader};
use builtin::Turn;
use outcome::{Acted, Stays};
use packmule_protocol::packet::{Kind, Kinds};

impl Toss<'_> {
    /// Passes a packet to the file of its kind, unless the options skip the kind.
    fn act<'a>(
        &self,
        arrival: &Arrival<'a>,
        reader: Reader<'a>,
        skip: Kinds,
        turn: Turn<'_>,
    ) -> Acted {
        let kind = reader.plain().kind;
        if skip.contains(kind) {
            return Err(Stays::Skipped);
        }
        match kind {
            Kind::File => self.file(arrival, reader),
            Kind::Freq => self.freq(arrival, reader),
            Kind::Exec | Kind::ExecFat => self.exec(arrival, reader, turn),
            Kind::Trns => self.trns(arrival, reader),
            Kind::Area => self.area(arrival, reader, &|inside, reader| {
                self.act(inside, reader, self.options.skip, Turn::Alone)
            }),
            Kind::Ack => self.ack(arrival, reader),
        }
    }
}
