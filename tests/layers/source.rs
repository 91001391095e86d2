//! Source files as tokens: what a file imports, names, defines and calls.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A path in a source: `["super", "station", "Station"]`.
pub(crate) type Segments = Vec<String>;

/// A source file without its tests.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// The module that the file is, below the crate's root: `["net", "station"]`.
    pub(crate) module: Segments,
    pub(crate) imports: Vec<Import>,
    /// Paths outside of imports, each with the module that it stands in.
    pub(crate) paths: Vec<(Segments, Segments)>,
    /// Every identifier outside of imports.
    pub(crate) words: BTreeSet<String>,
    /// Items, for `use x::*`.
    pub(crate) items: BTreeSet<String>,
    pub(crate) functions: Vec<Function>,
    pub(crate) methods: Vec<Methods>,
}

/// One name of a `use`.
#[derive(Debug)]
pub(crate) struct Import {
    /// The module that the `use` stands in.
    pub(crate) module: Segments,
    pub(crate) path: Segments,
    /// The name here: the last segment, or the one after `as`.
    pub(crate) name: String,
    /// Others may take it from here.
    pub(crate) exported: bool,
}

/// An `impl` of a type without a trait.
#[derive(Debug)]
pub(crate) struct Methods {
    /// The module that the `impl` stands in, and the path of its type.
    pub(crate) module: Segments,
    pub(crate) of: Segments,
    pub(crate) names: BTreeSet<String>,
    /// Methods that these call of the same value: `self.name()`.
    pub(crate) called: BTreeSet<String>,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// Lines from the signature to the closing brace.
    pub(crate) lines: usize,
}

/// All files under `dir` that are built into the crate whose root is `dir`.
pub(crate) fn sources(dir: &Path) -> Vec<Source> {
    files(dir).into_iter().map(|path| Source::read(dir, path)).collect()
}

/// The Rust files under `dir`, without folders of tests.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "tests") {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_name().is_some_and(|name| name != "tests.rs")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

impl Source {
    fn read(root: &Path, path: PathBuf) -> Self {
        let mut module: Segments = path
            .strip_prefix(root)
            .unwrap()
            .with_extension("")
            .iter()
            .map(|part| part.to_str().unwrap().to_owned())
            .collect();
        if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
            module.pop();
        }
        let text = fs::read_to_string(&path).unwrap();
        let tokens = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut source = Self { path, module: module.clone(), ..Self::default() };
        source.walk(tokens, &module);
        source
    }

    fn walk(&mut self, tokens: TokenStream, module: &Segments) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = match &tokens[at] {
                TokenTree::Punct(punct) if punct.as_char() == '#' => past_attribute(&tokens, at),
                TokenTree::Group(group) => {
                    self.walk(group.stream(), module);
                    at + 1
                }
                TokenTree::Ident(word) => self.word(word, &tokens, at, module),
                _ => at + 1,
            };
        }
    }

    /// Takes what begins with `word`; the place after it.
    fn word(&mut self, word: &Ident, tokens: &[TokenTree], at: usize, module: &Segments) -> usize {
        let word = word.to_string();
        let next = match tokens.get(at + 1) {
            Some(TokenTree::Ident(next)) => Some(next.to_string()),
            _ => None,
        };
        match (word.as_str(), next) {
            ("use", _) if !is_punct(tokens.get(at + 1), '<') => {
                let end = end_of_statement(tokens, at);
                let exported = is_exported(tokens, at);
                self.import(&tokens[at + 1..end], &[], module, exported);
                end
            }
            ("mod", Some(name)) => {
                let inner = [module.as_slice(), &[name]].concat();
                if let Some(TokenTree::Group(body)) = tokens.get(at + 2) {
                    self.walk(body.stream(), &inner);
                }
                at + 3
            }
            ("fn", Some(name)) => {
                if let Some(body) = body(&tokens[at..]) {
                    let (start, end) =
                        (tokens[at].span().start().line, body.span_close().end().line);
                    self.functions.push(Function { name, line: start, lines: end - start + 1 });
                }
                at + 2
            }
            ("impl", _) => {
                let begins = at.checked_sub(1).is_none_or(|before| {
                    matches!(tokens[before], TokenTree::Group(_))
                        || is_punct(Some(&tokens[before]), ';')
                });
                if begins && let Some(methods) = methods(&tokens[at + 1..], module) {
                    self.methods.push(methods);
                }
                at + 1
            }
            ("struct" | "enum" | "trait" | "type" | "const" | "static", Some(name)) => {
                self.items.insert(name);
                at + 1
            }
            _ => self.path(tokens, at, module),
        }
    }

    /// Takes a word and the path that it begins, if it does.
    fn path(&mut self, tokens: &[TokenTree], mut at: usize, module: &Segments) -> usize {
        let mut path = Segments::new();
        while let Some(TokenTree::Ident(word)) = tokens.get(at) {
            path.push(word.to_string());
            self.words.insert(word.to_string());
            at += 1;
            if !(is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')) {
                break;
            }
            at += 2;
        }
        if path.len() > 1 {
            self.paths.push((module.clone(), path));
        }
        at.max(1)
    }

    /// Takes the names of a `use`: `a::{b, c as d}` are two.
    fn import(&mut self, tree: &[TokenTree], before: &[String], module: &Segments, exported: bool) {
        let mut path = before.to_vec();
        let mut alias = None;
        let mut tokens = tree.iter();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(word) if *word == "as" => {
                    alias = tokens.next().map(ToString::to_string);
                }
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Punct(star) if star.as_char() == '*' => path.push("*".into()),
                TokenTree::Group(list) => {
                    let list: Vec<TokenTree> = list.stream().into_iter().collect();
                    for item in list.split(|token| is_punct(Some(token), ',')) {
                        self.import(item, &path, module, exported);
                    }
                    return;
                }
                _ => {}
            }
        }
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop();
        }
        if let Some(last) = path.last() {
            let name = alias.unwrap_or_else(|| last.clone());
            self.imports.push(Import { module: module.clone(), path, name, exported });
        }
    }
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

/// Skips an attribute, and the item after it if that is only for tests.
fn past_attribute(tokens: &[TokenTree], at: usize) -> usize {
    let inner = usize::from(is_punct(tokens.get(at + 1), '!'));
    let Some(TokenTree::Group(attribute)) = tokens.get(at + 1 + inner) else { return at + 1 };
    let after = at + 2 + inner;
    if attribute.stream().to_string().replace(' ', "") == "cfg(test)" {
        return end_of_statement(tokens, after);
    }
    after
}

/// The place after the next `;` or `{…}`.
fn end_of_statement(tokens: &[TokenTree], at: usize) -> usize {
    let is_use = matches!(&tokens[at], TokenTree::Ident(word) if *word == "use");
    let ends = |token: &TokenTree| {
        let is_body = matches!(token, TokenTree::Group(group)
            if group.delimiter() == Delimiter::Brace);
        is_punct(Some(token), ';') || is_body && !is_use
    };
    let end = tokens[at..].iter().position(ends);
    end.map_or(tokens.len(), |end| at + end + 1)
}

/// Whether `pub` or `pub(…)` stands before the word.
fn is_exported(tokens: &[TokenTree], at: usize) -> bool {
    let is_pub = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if *word == "pub");
    let before = |back: usize| at.checked_sub(back).map(|at| &tokens[at]);
    match before(1) {
        Some(TokenTree::Group(_)) => before(2).is_some_and(is_pub),
        Some(token) => is_pub(token),
        None => false,
    }
}

/// The body of a function that begins here, if it has one.
fn body(tokens: &[TokenTree]) -> Option<&Group> {
    for token in tokens {
        match token {
            TokenTree::Punct(end) if end.as_char() == ';' => return None,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return Some(group),
            _ => {}
        }
    }
    None
}

/// What stands after an `impl`, if that is not of a trait.
fn methods(tokens: &[TokenTree], module: &Segments) -> Option<Methods> {
    let body = body(tokens)?.stream();
    let mut depth = 0;
    let mut of = Segments::new();
    for token in tokens {
        match token {
            TokenTree::Group(_) => break,
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth -= 1,
            TokenTree::Ident(word) if depth == 0 && *word == "for" => return None,
            TokenTree::Ident(word) if depth == 0 && *word == "where" => break,
            TokenTree::Ident(word) if depth == 0 => of.push(word.to_string()),
            _ => {}
        }
    }
    let tokens: Vec<TokenTree> = body.clone().into_iter().collect();
    let name = |pair: &[TokenTree]| match pair {
        [TokenTree::Ident(word), TokenTree::Ident(name)] if *word == "fn" => Some(name.to_string()),
        _ => None,
    };
    let names = tokens.windows(2).filter_map(name).collect();
    let mut called = BTreeSet::new();
    find_calls(body, &mut called);
    Some(Methods { module: module.clone(), of, names, called })
}

/// Finds `self.name(…)`.
fn find_calls(tokens: TokenStream, called: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            find_calls(group.stream(), called);
        }
        if let [TokenTree::Ident(word), dot, TokenTree::Ident(name), TokenTree::Group(_), ..] =
            &tokens[at..]
            && *word == "self"
            && is_punct(Some(dot), '.')
        {
            called.insert(name.to_string());
        }
    }
}
