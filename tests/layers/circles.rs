//! No file imports, directly or over others, a file that imports it.

use crate::origin::Crate;
use crate::source::{Source, sources};
use std::collections::BTreeMap;
use std::path::Path;

/// The files that each file imports, with the names that it takes.
type Imports<'a> = BTreeMap<&'a Path, BTreeMap<&'a Path, String>>;

#[test]
fn no_circle_of_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for dir in ["src", "protocol/src"] {
        let sources = sources(&root.join(dir));
        let imports = imports(&sources);
        found.extend(circles(&imports).iter().map(|circle| shown(circle, &imports, root)));
    }
    assert!(found.is_empty(), "circles of files:\n{}", found.join("\n"));
}

fn imports(sources: &[Source]) -> Imports<'_> {
    let files = Crate::new(sources);
    let named = |source| {
        let imports = files.imports(source).into_iter();
        imports.map(|(path, names)| (path, Vec::from_iter(names).join(", "))).collect()
    };
    sources.iter().map(|source| (source.path.as_path(), named(source))).collect()
}

/// Files that reach one another: for each such set, all of its files.
fn circles<'a>(imports: &Imports<'a>) -> Vec<Vec<&'a Path>> {
    let mut circles: Vec<Vec<&Path>> = Vec::new();
    for file in imports.keys() {
        if circles.iter().any(|circle| circle.contains(file)) {
            continue;
        }
        let there = reached(file, imports);
        let circle: Vec<&Path> =
            there.into_iter().filter(|other| reached(other, imports).contains(file)).collect();
        if circle.contains(file) {
            circles.push(circle);
        }
    }
    circles
}

/// Every file that `from` imports, directly or over others.
fn reached<'a>(from: &Path, imports: &Imports<'a>) -> Vec<&'a Path> {
    let mut reached: Vec<&Path> = Vec::new();
    let mut waiting = vec![from];
    while let Some(file) = waiting.pop() {
        for next in imports[file].keys() {
            if !reached.contains(next) {
                reached.push(next);
                waiting.push(next);
            }
        }
    }
    reached.sort();
    reached
}

fn shown(circle: &[&Path], imports: &Imports, root: &Path) -> String {
    let mut text = format!("{} files:\n", circle.len());
    let short = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
    for from in circle {
        for (to, names) in imports[from].iter().filter(|(to, _)| circle.contains(to)) {
            text += &format!("  {} imports {names} of {}\n", short(from), short(to));
        }
    }
    text
}
