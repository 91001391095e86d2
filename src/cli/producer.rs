//! `-command`: sends the output of the program named after `--`.

use super::command::Misuse;
use crate::outbound::Producer;
use anyhow::Context;
use std::ffi::OsString;

/// Splits operands at the first `--`: operands of the command, then the program with its arguments.
///
/// # Errors
/// No program is named.
pub(crate) fn split(operands: &[OsString]) -> Result<(&[OsString], &[OsString]), Misuse> {
    match operands.iter().position(|operand| operand == "--") {
        Some(at) if at + 1 < operands.len() => Ok((&operands[..at], &operands[at + 1..])),
        _ => Err(Misuse("-command needs a program after --".into())),
    }
}

/// Starts a program; `words` are its name and arguments.
///
/// # Errors
/// The program cannot be started.
pub(crate) fn start(words: &[OsString]) -> anyhow::Result<Producer> {
    let (program, arguments) = words.split_first().context("no program is named")?;
    Ok(Producer::start(program, arguments)?)
}
