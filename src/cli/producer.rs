//! `-command`: what is sent is the output of a program named behind `--`.

use super::command::Misuse;
use crate::outbound::Producer;
use anyhow::Context;
use std::ffi::OsString;

/// Takes operands apart at the first `--`: those of the command, and the program with its arguments.
///
/// # Errors
/// No program is named.
pub(crate) fn split(operands: &[OsString]) -> Result<(&[OsString], &[OsString]), Misuse> {
    match operands.iter().position(|operand| operand == "--") {
        Some(at) if at + 1 < operands.len() => Ok((&operands[..at], &operands[at + 1..])),
        _ => Err(Misuse("-command needs the program behind a --".into())),
    }
}

/// Starts the program `words`.
///
/// # Errors
/// It can not be started.
pub(crate) fn start(words: &[OsString]) -> anyhow::Result<Producer> {
    let (program, arguments) = words.split_first().context("no program is named")?;
    Ok(Producer::start(program, arguments)?)
}
