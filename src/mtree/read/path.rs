//! Paths as written in manifests.

use super::super::escape::{token_length, unescape_component};
use super::fault::Fault;
use super::word::lossy;

/// Splits at slashes, except those within an escape: NetBSD's mtree writes 0xaf as `\M-/`.
fn pieces(path: &[u8]) -> Vec<&[u8]> {
    let (mut pieces, mut start, mut at) = (Vec::new(), 0, 0);
    while at < path.len() {
        let length = token_length(&path[at..]).max(1);
        if path[at] == b'/' {
            pieces.push(&path[start..at]);
            start = at + 1;
        }
        at += length;
    }
    pieces.push(&path[start..]);
    pieces
}

/// True if the path has more than one component.
pub(super) fn has_slash(path: &[u8]) -> bool {
    path.contains(&b'/') && (!path.contains(&b'\\') || pieces(path).len() > 1)
}

/// The components of a path. Skips a leading `.` and empty components.
pub(super) fn components(path: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    let mut names = Vec::new();
    for (nth, piece) in pieces(path).into_iter().enumerate() {
        if piece.is_empty() && nth > 0 || nth == 0 && piece == b"." {
            continue;
        }
        let name = unescape_component(piece)
            .map_err(|fault| Fault::Escape { name: lossy(piece), fault })?;
        if name.is_empty() || name == b"." || name == b".." {
            return Err(Fault::Outside(lossy(path)));
        }
        names.push(name);
    }
    Ok(names)
}
