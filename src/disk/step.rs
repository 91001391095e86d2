//! The point that every operation passes which changes the disk: tests stop it there.

use std::io;

#[cfg(not(test))]
pub(super) fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(super) fn step() -> io::Result<()> {
    super::fault::step()
}
