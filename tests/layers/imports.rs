//! Imports have one form: a block without empty lines, and one `use` a module.

use crate::source::files;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn imports_have_one_form() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for path in ["src", "protocol/src"].iter().flat_map(|dir| files(&root.join(dir))) {
        let name = path.strip_prefix(root).unwrap();
        let faults = faults(&fs::read_to_string(&path).unwrap());
        wrong.extend(faults.into_iter().map(|fault| format!("{}: {fault}", name.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_of_another_form_are_found() {
    for (text, want) in [
        ("use a::B;\nuse a::c::{D, self};\n", None),
        ("use a::{B, c::D};\n", Some("a::{B, c::D} is nested")),
        ("use a::{\n    B,\n    c::{D, E},\n};\n", Some("a::{ B, c::{D, E}, } is nested")),
        ("use a::B;\n\nuse c::D;\n", Some("an empty line before c::D")),
        ("use a::B;\nuse a::C;\n", Some("a has two lines")),
        ("use a::B;\n\nmod tests {\n    use a::B;\n}\n", None),
    ] {
        assert_eq!(faults(text).first().map(String::as_str), want, "{text}");
    }
}

fn faults(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut modules = BTreeSet::new();
    let (mut in_block, mut is_apart) = (false, false);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(first) = line.trim_start().strip_prefix("use ") else {
            is_apart = line.is_empty();
            if !is_apart {
                in_block = false;
                modules.clear();
            }
            continue;
        };
        let mut import = first.to_owned();
        while !import.ends_with(';') {
            let Some(next) = lines.next() else { break };
            import = format!("{import} {}", next.trim());
        }
        let import = import.trim_end_matches(';');
        let (module, names) = import.rsplit_once("::").unwrap_or_default();
        let (module, names) = import.split_once("::{").unwrap_or((module, names));
        if names.contains('{') || names.contains("::") {
            faults.push(format!("{import} is nested"));
        }
        if in_block && is_apart {
            faults.push(format!("an empty line before {import}"));
        }
        if !module.is_empty() && !modules.insert(module.to_owned()) {
            faults.push(format!("{module} has two lines"));
        }
        (in_block, is_apart) = (true, false);
    }
    faults
}
