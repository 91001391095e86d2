//! A backup program with a node inside: queues its standard input for a neighbour, then tosses
//! what has arrived, and prints what became of it.
//!
//! ```sh
//! tar -c ~/documents | cargo run --example embed -- /etc/nncp.hjson backupserver documents.tar
//! ```

use anyhow::{Context, Result, bail};
use packmule::config;
use packmule::local::Local;
use packmule::log::{Level, Log, Notice, sentence};
use packmule::outbound::{Destination, FileOptions, Source};
use packmule::toss::{self, Toss};
use std::io::Write;
use std::path::Path;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [configuration, to, name] = arguments.as_slice() else {
        bail!("usage: embed CONFIGURATION NODE NAME < DATA");
    };
    let node = config::load(Path::new(configuration), || bail_io("it is encrypted"))?.node;
    let log = Log::new(
        Some(node.log.clone()),
        Some(Box::new(|notice| {
            if let Notice::Event(entry) = notice
                && entry.level != Level::Debug
            {
                // Whoever reads this may go; the packets go on.
                let _ = writeln!(std::io::stderr(), "{}", sentence::write(entry));
            }
        })),
    );
    let local = Local::new(node, log, true);

    let recipient = local.node.find(to).with_context(|| format!("looking up {to}"))?;
    let data = Source::stream(std::io::stdin());
    let destination = Destination::Node(recipient);
    local.file(destination, data, b"-", name.as_bytes(), FileOptions::default())?;

    let options = toss::Options::default();
    let mut report = toss::Report::default();
    let neighbours: Vec<_> = local.node.neighbours.values().collect();
    Toss { local: &local, options: &options }.run_all(&neighbours, |_, of_one| report.add(of_one));
    println!("{} tossed, {} waiting, {} failed", report.done, report.deferred, report.failed);
    if report.failed > 0 {
        bail!("{} packets failed", report.failed);
    }
    if report.busy {
        bail!("another process is tossing");
    }
    Ok(())
}

fn bail_io<T>(reason: &str) -> std::io::Result<T> {
    Err(std::io::Error::other(reason.to_owned()))
}
