//! A monitor: prints what waits for each neighbour, and fails if something failed since the last success.
//!
//! ```sh
//! cargo run --example monitor -- /etc/nncp.hjson
//! ```

use anyhow::{Context, Result, bail};
use packmule::Local;

fn main() -> Result<()> {
    let configuration = std::env::args_os().nth(1).context("usage: monitor CONFIGURATION")?;
    let local = Local::open(configuration.as_ref())?;
    let mut failures = 0;
    for standing in local.standings()? {
        let contact = standing.last_contact.as_deref().unwrap_or("never");
        println!(
            "{}: {} packets to send, {} to toss, last contact {contact}",
            standing.name, standing.tx.packets, standing.rx.packets
        );
        if let Some(failure) = standing.failure {
            println!("  {} failed at {}: {}", failure.who, failure.when, failure.error);
            failures += 1;
        }
    }
    if failures > 0 {
        bail!("something failed with {failures} neighbours");
    }
    Ok(())
}
