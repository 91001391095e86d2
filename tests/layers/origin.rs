//! The file that a name comes from.

use crate::source::{Import, Methods, Segments, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Names that stand for other names: more than so many in a row lead in a circle.
const MOST_ALIASES: usize = 8;

/// The files of a crate, to find where a name comes from.
pub(crate) struct Crate<'a> {
    files: BTreeMap<&'a [String], &'a Source>,
    /// Methods by the file and the name of their type.
    methods: BTreeMap<(&'a Path, String), Vec<(&'a Source, &'a Methods)>>,
}

impl<'a> Crate<'a> {
    pub(crate) fn new(sources: &'a [Source]) -> Self {
        let files = sources.iter().map(|source| (source.module.as_slice(), source)).collect();
        let mut whole = Self { files, methods: BTreeMap::new() };
        for source in sources {
            for methods in &source.methods {
                let of = whole.type_of(source, methods);
                whole.methods.entry(of).or_default().push((source, methods));
            }
        }
        whole
    }

    /// The file and the name of the type that methods are of.
    fn type_of(&self, source: &'a Source, methods: &Methods) -> (&'a Path, String) {
        let path = self.absolute(source, &methods.module, &methods.of);
        let origin = path.and_then(|path| self.origin(&path, 0));
        let here = || (source, methods.of.last().cloned().unwrap_or_default());
        let (file, name) = origin.unwrap_or_else(here);
        (file.path.as_path(), name)
    }

    /// Files whose methods the methods of a file call, of the same value.
    fn calls(&self, source: &'a Source) -> Vec<(&'a Path, String)> {
        let mut calls = Vec::new();
        for own in &source.methods {
            let (file, name) = self.type_of(source, own);
            let all = &self.methods[&(file, name.clone())];
            let is_own = |called: &&String| {
                all.iter()
                    .any(|(at, methods)| at.path == source.path && methods.names.contains(*called))
            };
            for called in own.called.iter().filter(|called| !is_own(called)) {
                for (at, _) in all.iter().filter(|(_, methods)| methods.names.contains(called)) {
                    calls.push((at.path.as_path(), format!("{name}::{called}")));
                }
            }
        }
        calls
    }

    /// The files that a file takes something from, each with the names that it takes. A name that a
    /// folder passes on (`pub use`) comes from the file that defines it. A method that another file
    /// adds to a type counts, if it is called as `self.method()`.
    pub(crate) fn imports(&self, source: &'a Source) -> BTreeMap<&'a Path, BTreeSet<String>> {
        let mut paths = Vec::new();
        for import in &source.imports {
            // What is only passed on is not used here.
            if !import.exported || source.words.contains(&import.name) {
                paths.extend(self.absolute(source, &import.module, &import.path));
            }
        }
        for (module, path) in &source.paths {
            paths.extend(self.absolute(source, module, path));
        }
        let mut imports: BTreeMap<&Path, BTreeSet<String>> = BTreeMap::new();
        for path in paths {
            if let Some((from, name)) = self.origin(&path, 0)
                && from.module != source.module
            {
                imports.entry(from.path.as_path()).or_default().insert(name);
            }
        }
        for (from, method) in self.calls(source) {
            imports.entry(from).or_default().insert(method);
        }
        imports
    }

    /// The path from the crate's root; `None` if it leads to another crate.
    fn absolute(&self, source: &Source, module: &Segments, path: &[String]) -> Option<Segments> {
        self.absolute_below(source, module, path, MOST_ALIASES)
    }

    fn absolute_below(
        &self,
        source: &Source,
        module: &Segments,
        path: &[String],
        aliases: usize,
    ) -> Option<Segments> {
        let first = path.first()?.as_str();
        let supers = path.iter().take_while(|segment| *segment == "super").count();
        let (start, rest) = match first {
            "crate" => (Segments::new(), &path[1..]),
            "self" => (module.clone(), &path[1..]),
            "super" => (module[..module.len().checked_sub(supers)?].to_vec(), &path[supers..]),
            _ if self.files.contains_key([module.as_slice(), &path[..1]].concat().as_slice()) => {
                (module.clone(), path)
            }
            _ => {
                let mut imports = source.imports.iter();
                let import = imports.find(|import| import.name == first)?;
                let left = aliases.checked_sub(1)?;
                (self.absolute_below(source, &import.module, &import.path, left)?, &path[1..])
            }
        };
        Some([start.as_slice(), rest].concat())
    }

    /// The file that defines what is at a path, and its name. `None` for a module alone: its paths
    /// say what is taken from it.
    fn origin(&self, path: &[String], depth: usize) -> Option<(&'a Source, String)> {
        let lengths = (0..=path.len()).rev();
        let found = lengths.filter_map(|len| self.files.get(&path[..len]).map(|file| (*file, len)));
        let (file, len) = { found }.next()?;
        let name = path.get(len)?;
        let passed_on = |import: &&Import| {
            import.exported && (import.name == *name || import.name == "*") && depth < MOST_ALIASES
        };
        for import in file.imports.iter().filter(passed_on) {
            let Some(mut whole) = self.absolute(file, &import.module, &import.path) else {
                continue;
            };
            if import.name == "*" {
                whole.pop();
                let is_there = |source: &&Source| source.items.contains(name);
                if self.files.get(whole.as_slice()).copied().filter(is_there).is_none() {
                    continue;
                }
                whole.push(name.clone());
            }
            whole.extend_from_slice(&path[len + 1..]);
            return self.origin(&whole, depth + 1);
        }
        Some((file, name.clone()))
    }
}
