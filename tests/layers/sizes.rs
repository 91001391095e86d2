//! Files and functions stay short enough to be read at once.

use crate::source::{Function, sources};
use std::fs;
use std::path::Path;

/// Lines of a file, with its tests.
const FILE: usize = 400;
/// Lines of a function, from its signature to its closing brace.
const FUNCTION: usize = 61;
/// Of a hundred functions, 99 have no more lines.
const MOST_FUNCTIONS: usize = 40;

#[test]
fn files_and_functions_are_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut long = Vec::new();
    let mut lengths = Vec::new();
    for source in ["src", "protocol/src"].iter().flat_map(|dir| sources(&root.join(dir))) {
        let name = source.path.strip_prefix(root).unwrap().display().to_string();
        let lines = fs::read_to_string(&source.path).unwrap().lines().count();
        if lines > FILE {
            long.push(format!("{name} has {lines} lines"));
        }
        for Function { name: function, line, lines } in source.functions {
            lengths.push(lines);
            if lines > FUNCTION {
                long.push(format!("{name}:{line}: {function} has {lines} lines"));
            }
        }
    }
    lengths.sort_unstable();
    let most = lengths[lengths.len() * 99 / 100];
    if most > MOST_FUNCTIONS {
        long.push(format!("one function of a hundred has {most} lines or more"));
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}
