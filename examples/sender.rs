//! A backup program with a node inside: queues its standard input for a neighbour, and prints the events.
//!
//! ```sh
//! tar -c ~/documents | cargo run --example sender -- /etc/nncp.hjson vault documents.tar
//! ```

use anyhow::{Context, Result, bail};
use packmule::{Destination, FileOptions, Level, Local, Notice, Source};
use std::io::Write;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [configuration, to, name] = arguments.as_slice() else {
        bail!("usage: sender CONFIGURATION NODE NAME < DATA");
    };
    let local = Local::open(configuration.as_ref())?.observed(|notice| {
        if let Notice::Event(entry) = notice
            && entry.level != Level::Debug
        {
            // Whoever reads this may go; the packets go on.
            let _ = writeln!(std::io::stderr(), "{entry}");
        }
    });
    let recipient = local.node().find(to).with_context(|| format!("looking up {to}"))?;
    let data = Source::stream(std::io::stdin());
    let to = Destination::Node(recipient);
    local.file(to, data, b"-", name.as_bytes(), FileOptions::default())?;
    Ok(())
}
