//! The tree that is being read: its objects and their facts.

use super::super::builder::Builder;
use super::super::digest::Algorithm;
use super::super::entry::{EntryId, MOST_ENTRIES};
use super::super::escape::Escaped;
use super::super::facts::{Facts, Kind};
use super::super::manifest::Manifest;
use super::fault::Fault;
use super::options::{Limits, ReadOptions};
use super::warning::{Warning, Warnings};

/// The tree that is being read.
pub(super) struct Tree {
    builder: Builder,
    limits: Limits,
    /// Allow entries of different types for one path.
    merge: bool,
    /// The depth of each object.
    depths: Vec<u16>,
    /// For each object, whether it contains another.
    holds: Vec<bool>,
}

impl Tree {
    pub(super) fn new(options: &ReadOptions) -> Self {
        Self {
            builder: Builder::default(),
            limits: options.limits,
            merge: options.merge,
            depths: vec![0],
            holds: vec![false],
        }
    }

    /// The manifest; `links` are the groups of hard links.
    pub(super) fn finish(
        mut self,
        links: Vec<(u64, EntryId)>,
        warnings: &mut Warnings,
    ) -> Manifest {
        if self.facts(EntryId::ROOT).kind.is_none() {
            self.holds[0] = true;
        }
        for index in 0..self.holds.len() {
            if self.holds[index] {
                self.make_directory(EntryId::of_index(index), warnings);
            }
        }
        self.builder.finish(links)
    }

    /// The facts about an object.
    pub(super) fn facts(&self, id: EntryId) -> &Facts {
        &self.builder.entry(id).facts
    }

    /// The directory of an object; the root's is the root.
    pub(super) fn parent(&self, id: EntryId) -> EntryId {
        self.builder.entry(id).parent()
    }

    /// The object with this path from the root, if it exists.
    pub(super) fn find(&self, names: &[Vec<u8>]) -> Option<EntryId> {
        names.iter().try_fold(EntryId::ROOT, |at, name| self.builder.find(at, name))
    }

    /// The object `name` in `parent`; adds it if it is missing.
    pub(super) fn enter(&mut self, parent: EntryId, name: &[u8]) -> Result<EntryId, Fault> {
        let above = &self.builder.entry(parent).facts;
        if above.kind.is_some_and(|kind| kind != Kind::Dir) {
            return Err(Fault::NotADirectory(self.written(parent)));
        }
        let id = self.builder.enter(parent, name);
        if id.index() == self.depths.len() {
            let Limits { entries, depth, .. } = self.limits;
            if self.builder.len() > entries.min(MOST_ENTRIES) {
                return Err(Fault::TooMany(entries));
            }
            let deep = usize::from(self.depths[parent.index()]) + 1;
            let kept = u16::try_from(deep).ok().filter(|_| deep <= depth);
            self.depths.push(kept.ok_or(Fault::TooDeep(depth))?);
            self.holds.push(false);
            self.holds[parent.index()] = true;
        }
        Ok(id)
    }

    /// Makes an object a directory because it contains another, even if its entry states another
    /// type or none.
    fn make_directory(&mut self, id: EntryId, warnings: &mut Warnings) {
        if self.builder.entry(id).stated {
            let mut facts = std::mem::take(&mut self.builder.entry_mut(id).facts);
            facts.kind = Some(Kind::Dir);
            self.digests_of_files(id, &mut facts, warnings);
            self.builder.entry_mut(id).facts = facts;
        }
    }

    /// Drops the digests of everything that is not a file.
    fn digests_of_files(&self, id: EntryId, facts: &mut Facts, warnings: &mut Warnings) {
        if facts.kind.is_some_and(|kind| kind != Kind::File) && !facts.digests.is_empty() {
            for algorithm in Algorithm::ALL {
                facts.digests.remove(algorithm);
            }
            let path = self.written(id);
            warnings.add(Warning::DigestOfNoFile(path));
        }
    }

    /// Applies an entry. If there are two for one object, the last one counts.
    pub(super) fn state(
        &mut self,
        id: EntryId,
        mut facts: Facts,
        warnings: &mut Warnings,
    ) -> Result<(), Fault> {
        self.digests_of_files(id, &mut facts, warnings);
        let entry = self.builder.entry(id);
        if self.holds[id.index()] && facts.kind.is_some_and(|kind| kind != Kind::Dir) {
            return Err(Fault::NotADirectory(self.written(id)));
        }
        if entry.stated {
            let path = self.written(id);
            if let (Some(was), Some(is)) = (entry.facts.kind, facts.kind)
                && was != is
                && !self.merge
            {
                return Err(Fault::Contradiction { path, was: was.name(), is: is.name() });
            }
            warnings.add(Warning::Twice(path));
        }
        let entry = self.builder.entry_mut(id);
        entry.stated = true;
        entry.facts = facts;
        Ok(())
    }

    /// Moves all objects to the root.
    pub(super) fn flatten(&mut self, warnings: &mut Warnings) -> Result<(), Fault> {
        let old = std::mem::take(&mut self.builder).finish(Vec::new());
        self.depths = vec![0];
        self.holds = vec![false];
        for id in old.ids() {
            let entry = old.entry(id);
            let new = match id {
                EntryId::ROOT => EntryId::ROOT,
                _ => self.enter(EntryId::ROOT, entry.name())?,
            };
            if entry.stated {
                self.state(new, entry.facts.clone(), warnings)?;
            }
        }
        Ok(())
    }

    /// The path of an object, as written in a manifest.
    fn written(&self, id: EntryId) -> String {
        let mut names = Vec::new();
        let mut at = id;
        while at != EntryId::ROOT {
            names.push(Escaped(self.builder.entry(at).name()).to_string());
            at = self.builder.entry(at).parent();
        }
        names.push(".".to_owned());
        names.reverse();
        names.join("/")
    }
}
