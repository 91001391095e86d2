//! Reading the file of a backup: its header, then line after line.

use super::super::members::Members;
use super::super::store::{LedgerError, Result};
use super::line::{LINE, Line};
use crate::disk;
use crate::spool::read_at;
use serde_json::{Value, json};
use std::fs::File;
use std::path::Path;

/// Lines that are read at once.
const BATCH: usize = 2048;
/// A header has so many bytes at most.
const HEADER_MAX: usize = 32 * LINE;

/// The header of a file.
pub(super) struct Header {
    pub(super) backup: String,
    pub(super) since: i64,
    /// Bytes, a multiple of a line's.
    pub(super) len: u64,
}

/// JSON, spaces, and the end of the line.
pub(super) fn header(backup: &str, since: i64) -> Vec<u8> {
    let mut header = json!({"backup": backup, "since": since}).to_string().into_bytes();
    let len = (header.len() + 1).next_multiple_of(LINE);
    header.resize(len - 1, b' ');
    header.push(b'\n');
    header
}

fn parse_header(head: &[u8]) -> Option<Header> {
    let len = head.iter().position(|byte| *byte == b'\n')? + 1;
    let value: Value = serde_json::from_slice(&head[..len]).ok()?;
    let members = Members::of(&value)?;
    let backup = members.text("backup")?.to_owned();
    let header = Header { backup, since: members.time("since")?, len: len as u64 };
    len.is_multiple_of(LINE).then_some(header)
}

/// Opens a file for reading; `None` if it is gone.
pub(super) fn read_header(path: &Path) -> Result<Option<(File, Header)>> {
    let file = match disk::open_regular_path(path) {
        Err(error) if error.cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other?.0,
    };
    let mut head = vec![0; HEADER_MAX];
    let len = read_at(&file, path, 0, &mut head)?;
    let damaged = || LedgerError::Damaged {
        path: path.to_owned(),
        reason: "is not the list of a backup's packets: remove it, and the backup is not proven",
    };
    Ok(Some((file, parse_header(&head[..len]).ok_or_else(damaged)?)))
}

/// Shows `look` every line with its number, `None` for one that is damaged.
pub(super) fn each(
    file: &File,
    path: &Path,
    header: u64,
    mut look: impl FnMut(u64, Option<Line>) -> Result<()>,
) -> Result<()> {
    let mut batch = vec![0; BATCH * LINE];
    let (mut at, mut number) = (header, 0);
    loop {
        let len = read_at(file, path, at, &mut batch)?;
        let (lines, _torn) = batch[..len].as_chunks::<LINE>();
        for line in lines {
            look(number, Line::parse(line))?;
            number += 1;
        }
        if len < batch.len() {
            return Ok(());
        }
        at += len as u64;
    }
}
