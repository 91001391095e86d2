//! Every operation that changes the disk calls `step`, where tests can stop it.

use std::io;

#[cfg(not(test))]
pub(super) fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(super) fn step() -> io::Result<()> {
    super::fault::step()
}
