//! A manifest in memory: the objects of a tree, their facts and their places.

use super::entry::{Entry, EntryId};
use super::escape::Escaped;
use super::facts::Facts;
use rayon::slice::ParallelSliceMut;

/// From this number on, names are sorted on all cores.
const MANY: usize = 4096;

/// A tree of objects with their facts.
#[derive(Clone, Debug)]
pub struct Manifest {
    entries: Vec<Entry>,
    /// All entries except the root, by parent and then by name.
    sorted: Vec<EntryId>,
    /// For each entry, the index of its first child in `sorted`; and one more at the end.
    starts: Vec<u32>,
    /// Hard links: group, then member. Sorted, and numbered from 1 in the order of the tree, so
    /// that equal trees have equal groups.
    links: Vec<(u64, EntryId)>,
    /// The manifest lists all extended attributes, so any other one is extra. go-mtree's format
    /// cannot say "none".
    pub lists_xattrs: bool,
}

impl Manifest {
    pub(super) fn new(entries: Vec<Entry>, links: Vec<(u64, EntryId)>) -> Self {
        let (sorted, starts) = sort(&entries);
        let mut manifest = Self { entries, sorted, starts, links: Vec::new(), lists_xattrs: false };
        manifest.links = manifest.normal_links(links);
        manifest
    }

    /// An object.
    pub fn entry(&self, id: EntryId) -> &Entry {
        &self.entries[id.index()]
    }

    /// The facts about an object.
    pub fn facts(&self, id: EntryId) -> &Facts {
        &self.entries[id.index()].facts
    }

    /// The number of objects, including the root.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if there are no facts, not even about the root.
    pub fn is_empty(&self) -> bool {
        self.entries.len() == 1 && !self.entries[0].stated
    }

    /// The number of objects that have an entry in the manifest.
    pub fn stated(&self) -> usize {
        self.entries.iter().filter(|entry| entry.stated).count()
    }

    /// The objects in a directory, in byte order of their names.
    pub fn children(&self, id: EntryId) -> &[EntryId] {
        let range = self.starts[id.index()] as usize..self.starts[id.index() + 1] as usize;
        &self.sorted[range]
    }

    /// The object `name` in a directory.
    pub fn child(&self, parent: EntryId, name: &[u8]) -> Option<EntryId> {
        let children = self.children(parent);
        let found = children.binary_search_by(|id| self.entry(*id).name().cmp(name));
        found.ok().map(|place| children[place])
    }

    /// Finds objects in a directory by name, if the names are asked for in byte order.
    pub(super) fn in_order(&self, parent: EntryId) -> InOrder<'_> {
        InOrder { manifest: self, rest: self.children(parent), begun: false }
    }

    /// Hard links, as group and member, sorted.
    pub fn hard_links(&self) -> &[(u64, EntryId)] {
        &self.links
    }

    /// All entries, in any order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// All objects, parents first, siblings in byte order.
    pub fn ids(&self) -> impl Iterator<Item = EntryId> {
        let mut waiting = vec![EntryId::ROOT];
        std::iter::from_fn(move || {
            let id = waiting.pop()?;
            waiting.extend(self.children(id).iter().rev());
            Some(id)
        })
    }

    /// The path of an object from the root, such as `a/b`; empty for the root.
    pub fn path(&self, id: EntryId) -> Vec<u8> {
        let mut names = Vec::new();
        let mut at = id;
        while at != EntryId::ROOT {
            let entry = self.entry(at);
            names.push(entry.name());
            at = entry.parent();
        }
        names.reverse();
        names.join(&b'/')
    }

    /// The path of an object as written in a manifest: `.` or `./a\040b`.
    pub fn written_path(&self, id: EntryId) -> String {
        match id {
            EntryId::ROOT => ".".to_owned(),
            _ => format!("./{}", Escaped(&self.path(id))),
        }
    }

    /// Sorts the groups by their first member and numbers them from 1.
    fn normal_links(&self, mut links: Vec<(u64, EntryId)>) -> Vec<(u64, EntryId)> {
        if links.is_empty() {
            return links;
        }
        let mut rank = vec![0_u32; self.entries.len()];
        for (place, id) in (0..).zip(self.ids()) {
            rank[id.index()] = place;
        }
        links.sort_unstable_by_key(|(group, id)| (*group, rank[id.index()]));
        links.dedup();
        let groups = links.chunk_by(|one, other| one.0 == other.0);
        let mut groups: Vec<_> = groups.filter(|group| group.len() > 1).collect();
        groups.sort_unstable_by_key(|group| rank[group[0].1.index()]);
        let numbered = (1..).zip(groups);
        numbered.flat_map(|(nth, group)| group.iter().map(move |link| (nth, link.1))).collect()
    }
}

/// Looks up objects of a directory in byte order.
pub(super) struct InOrder<'a> {
    manifest: &'a Manifest,
    rest: &'a [EntryId],
    begun: bool,
}

impl InOrder<'_> {
    /// The object `name`. It must come after all names asked for before.
    pub(super) fn find(&mut self, name: &[u8]) -> Option<EntryId> {
        let is_before = |id: &EntryId| self.manifest.entry(*id).name() < name;
        let before = if self.begun {
            // Usually the next object is the one, so a linear search is fastest.
            self.rest.iter().take_while(|id| is_before(id)).count()
        } else {
            self.rest.partition_point(is_before)
        };
        self.begun = true;
        self.rest = &self.rest[before..];
        let id = *self.rest.first()?;
        (self.manifest.entry(id).name() == name).then_some(id)
    }
}

/// Counting sort by parent, then sorts the children of each parent by name.
fn sort(entries: &[Entry]) -> (Vec<EntryId>, Vec<u32>) {
    let mut starts = vec![0_u32; entries.len() + 1];
    for entry in &entries[1..] {
        starts[entry.parent().index() + 1] += 1;
    }
    for nth in 1..starts.len() {
        starts[nth] += starts[nth - 1];
    }
    let mut next = starts.clone();
    let mut sorted = vec![EntryId::ROOT; entries.len() - 1];
    for (index, entry) in entries.iter().enumerate().skip(1) {
        let place = &mut next[entry.parent().index()];
        sorted[*place as usize] = EntryId::of_index(index);
        *place += 1;
    }
    for pair in starts.windows(2) {
        let children = &mut sorted[pair[0] as usize..pair[1] as usize];
        let by_name = |one: &EntryId, other: &EntryId| {
            entries[one.index()].name().cmp(entries[other.index()].name())
        };
        if children.len() > MANY {
            children.par_sort_unstable_by(by_name);
        } else {
            children.sort_unstable_by(by_name);
        }
    }
    (sorted, starts)
}

#[cfg(test)]
mod tests {
    use super::super::builder::Builder;
    use super::*;

    fn tree(paths: &[&str]) -> Builder {
        let mut builder = Builder::default();
        for path in paths {
            let names = path.split('/');
            names.fold(EntryId::ROOT, |parent, name| builder.enter(parent, name.as_bytes()));
        }
        builder
    }

    #[test]
    fn objects_come_parents_first_and_siblings_in_byte_order() {
        let manifest = tree(&["b/z", "b/a", "a.c", "a/x", "\u{e3}"]).finish(Vec::new());
        let paths: Vec<_> = manifest.ids().map(|id| manifest.written_path(id)).collect();
        assert_eq!(paths, [".", "./a", "./a/x", "./a.c", "./b", "./b/a", "./b/z", "./\\303\\243"]);
    }

    #[test]
    fn names_asked_for_in_order_are_found() {
        let manifest = tree(&["a", "c", "d", "f", "g/x"]).finish(Vec::new());
        let names = ["a", "b", "d", "e", "ee", "g", "h"];
        let child = |name: &&str| manifest.child(EntryId::ROOT, name.as_bytes());
        for first in 0..names.len() {
            let mut in_order = manifest.in_order(EntryId::ROOT);
            for name in &names[first..] {
                assert_eq!(in_order.find(name.as_bytes()), child(name), "{name} from {first}");
            }
        }
    }

    #[test]
    fn groups_are_numbered_by_their_first_member_and_loners_dropped() {
        let mut builder = tree(&["c", "b", "a", "d", "e"]);
        let mut id = |name: &str| builder.enter(EntryId::ROOT, name.as_bytes());
        let links = vec![(7, id("c")), (9, id("d")), (5, id("b")), (7, id("a")), (5, id("e"))];
        let manifest = builder.finish(links);
        let groups: Vec<_> = manifest
            .hard_links()
            .iter()
            .map(|(group, id)| (*group, manifest.written_path(*id)))
            .collect();
        let want = [(1, "./a"), (1, "./c"), (2, "./b"), (2, "./e")];
        assert_eq!(groups, want.map(|(group, path)| (group, path.to_owned())));
    }
}
