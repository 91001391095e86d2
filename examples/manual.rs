//! Writes the manual pages: `cargo run --example manual -- DIRECTORY`.
//!
//! The texts are in `doc/man/`; synopses and options come from the table of commands.

use anyhow::Context;
use packmule::internal::manual;
use std::fs;
use std::path::Path;

fn main() -> anyhow::Result<()> {
    let directory = std::env::args_os().nth(1).context("usage: manual DIRECTORY")?;
    let texts = Path::new(env!("CARGO_MANIFEST_DIR")).join("doc/man");
    fs::create_dir_all(&directory)?;
    for page in manual::pages(|name| fs::read_to_string(texts.join(name)).ok()) {
        fs::write(Path::new(&directory).join(&page.file), page.roff).context(page.file)?;
    }
    Ok(())
}
