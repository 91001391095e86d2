//! A service with a node inside: acts on what has arrived, with a handler written in Rust.
//!
//! The configuration says who may call it: `exec: { count: ["count-bytes"] }` in a neighbour's section.
//!
//! ```sh
//! cargo run --example receiver -- /etc/nncp.hjson
//! ```

use anyhow::{Context, Result, bail};
use packmule::{Call, Local, Search, Toss, TossOptions, TossReport, Verdict};
use std::io;

fn main() -> Result<()> {
    let configuration = std::env::args_os().nth(1).context("usage: receiver CONFIGURATION")?;
    let local = Local::open(configuration.as_ref())?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let search = Search::new(&path).with("count-bytes", count_bytes);
    let options = TossOptions { search, ..TossOptions::default() };

    let mut report = TossReport::default();
    let neighbours: Vec<_> = local.node().neighbours().collect();
    Toss { local: &local, options: &options }.run_all(&neighbours, |_, one| report.add(one));
    println!("{} tossed, {} waiting, {} failed", report.done, report.deferred, report.failed);
    if report.failed > 0 || report.busy {
        bail!("not everything was tossed: the log says why");
    }
    Ok(())
}

/// A handler. Its input is authenticated to the last byte before it gets the first. The packet is removed
/// when it returns `Done`; after a crash in between it is called again with the same packet.
fn count_bytes(mut call: Call<'_>) -> Verdict {
    match io::copy(&mut call.input, &mut io::sink()) {
        Ok(bytes) => {
            println!("{bytes} bytes from {}", call.name);
            Verdict::Done { output: Vec::new(), reply: None }
        }
        Err(error) => Verdict::Failed { reason: error.to_string(), output: Vec::new() },
    }
}
