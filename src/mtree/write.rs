//! Writes a manifest in a given dialect and layout.

use super::dialect::{Dialect, Layout};
use super::digest::hex;
use super::entry::EntryId;
use super::escape::{escape, escape_in_comment};
use super::facts::{Facts, Kind};
use super::keyword::{Keyword, Keywords};
use super::manifest::Manifest;
use super::value;
use sha2::{Digest, Sha256};
use std::io::{self, Write};

/// How to write a manifest.
#[derive(Clone, Copy, Debug)]
pub struct WriteOptions {
    /// The dialect, which determines the names of keywords.
    pub dialect: Dialect,
    /// How paths are written.
    pub layout: Layout,
    /// The keywords to write.
    pub keywords: Keywords,
    /// The manifest is complete, so a trailer is written.
    pub whole: bool,
}

impl Default for WriteOptions {
    fn default() -> Self {
        let every = Keywords::ALL.union(
            [
                Keyword::TarTime,
                Keyword::Sha512256,
                Keyword::Flags,
                Keyword::Inode,
                Keyword::Resdevice,
                Keyword::Tags,
                Keyword::Optional,
                Keyword::Ignore,
                Keyword::Nochange,
                Keyword::Xattr,
                Keyword::Acl,
            ]
            .into_iter()
            .collect(),
        );
        Self { dialect: Dialect::Portable, layout: Layout::Full, keywords: every, whole: true }
    }
}

/// Writes a manifest: the signature, the entries, the groups of hard links, and, if it is complete,
/// a trailer by which a reader recognises a truncated manifest.
///
/// Equal trees give equal manifests: no date, host or user is written.
///
/// # Errors
/// If the output cannot be written.
pub fn write(manifest: &Manifest, options: &WriteOptions, output: impl Write) -> io::Result<()> {
    let mut writer = Writer { manifest, options, output, sum: Sha256::new(), text: Vec::new() };
    writer.text.extend_from_slice(b"#mtree\n");
    if manifest.lists_xattrs && options.keywords.contains(Keyword::Xattr) {
        writer.text.extend_from_slice(b"#:xattr\n");
    }
    let entries = match options.layout {
        Layout::Relative => writer.relative()?,
        Layout::Full | Layout::PathLast => writer.full()?,
    };
    writer.hard_links()?;
    writer.flush()?;
    let sum = hex(&writer.sum.clone().finalize());
    if options.whole {
        writeln!(writer.output, "#:end entries={entries} sha256={sum}")?;
    }
    writer.output.flush()
}

/// Size at which the buffer is written out.
const PIECE: usize = 64 * 1024;

struct Writer<'a, W> {
    manifest: &'a Manifest,
    options: &'a WriteOptions,
    output: W,
    sum: Sha256,
    text: Vec<u8>,
}

impl<W: Write> Writer<'_, W> {
    /// Writes each entry with its full path, which is built from that of the entry before.
    fn full(&mut self) -> io::Result<u64> {
        let mut entries = 0;
        let mut path = b".".to_vec();
        let mut ends = vec![1];
        let mut waiting = vec![(0, EntryId::ROOT)];
        while let Some((depth, id)) = waiting.pop() {
            if depth > 0 {
                ends.truncate(depth);
                path.truncate(ends[depth - 1]);
                path.push(b'/');
                escape(self.manifest.entry(id).name(), &mut path);
                ends.push(path.len());
            }
            if self.is_written(id) {
                entries += 1;
                let start = self.text.len();
                if self.options.layout == Layout::PathLast {
                    self.keywords(id, start);
                    self.text.push(b' ');
                    self.text.extend_from_slice(&path);
                } else {
                    self.text.extend_from_slice(&path);
                    self.keywords(id, start);
                }
                self.end_line()?;
            }
            let children = self.manifest.children(id);
            waiting.extend(children.iter().rev().map(|child| (depth + 1, *child)));
        }
        Ok(entries)
    }

    /// Writes names only: first the objects that are not directories, then each directory.
    fn relative(&mut self) -> io::Result<u64> {
        enum Step {
            Enter(EntryId),
            Leave,
        }
        let mut entries = 0;
        let mut waiting = vec![Step::Enter(EntryId::ROOT)];
        while let Some(step) = waiting.pop() {
            let Step::Enter(id) = step else {
                self.text.extend_from_slice(b"..\n");
                continue;
            };
            entries += 1;
            self.named(id)?;
            let is_dir = |id: &EntryId| self.is_dir(*id);
            let children = self.manifest.children(id);
            let (dirs, others): (Vec<_>, Vec<_>) = children.iter().copied().partition(is_dir);
            for other in others {
                entries += 1;
                self.named(other)?;
            }
            if id != EntryId::ROOT {
                waiting.push(Step::Leave);
            }
            waiting.extend(dirs.into_iter().rev().map(Step::Enter));
        }
        Ok(entries)
    }

    fn named(&mut self, id: EntryId) -> io::Result<()> {
        let start = self.text.len();
        match id {
            EntryId::ROOT => self.text.push(b'.'),
            _ => escape(self.manifest.entry(id).name(), &mut self.text),
        }
        self.keywords(id, start);
        self.end_line()
    }

    /// Implied parents are written too, because NetBSD's mtree needs them.
    fn is_written(&self, id: EntryId) -> bool {
        let entry = self.manifest.entry(id);
        entry.stated || id == EntryId::ROOT || !self.manifest.children(id).is_empty()
    }

    fn is_dir(&self, id: EntryId) -> bool {
        let kind = self.manifest.facts(id).kind;
        kind == Some(Kind::Dir) || kind.is_none() && !self.manifest.children(id).is_empty()
    }

    /// Writes the keywords of an entry whose line begins at `start`.
    fn keywords(&mut self, id: EntryId, start: usize) {
        let facts = self.manifest.facts(id);
        if facts.kind.is_none() && (id == EntryId::ROOT || self.is_dir(id)) {
            let mut facts = facts.clone();
            facts.kind = Some(Kind::Dir);
            self.facts(&facts, start);
        } else {
            self.facts(facts, start);
        }
    }

    fn facts(&mut self, facts: &Facts, start: usize) {
        for keyword in facts.keywords().intersection(self.selected()).iter() {
            self.keyword(facts, keyword, start);
        }
    }

    /// The keywords to write. `time` includes go-mtree's `tar_time`, and `acl` some of the
    /// attributes.
    fn selected(&self) -> Keywords {
        let mut selected = self.options.keywords.with(Keyword::Type);
        if selected.contains(Keyword::Time) {
            selected.add(Keyword::TarTime);
        }
        if selected.contains(Keyword::Acl) {
            selected.add(Keyword::Xattr);
        }
        selected
    }

    fn keyword(&mut self, facts: &Facts, keyword: Keyword, start: usize) {
        let Some(word) = self.options.dialect.word(keyword) else { return };
        if keyword == Keyword::Xattr {
            let all = self.options.keywords.contains(Keyword::Xattr);
            for xattr in facts.rare().xattrs.iter().filter(|xattr| all || xattr.is_acl()) {
                self.separate(start);
                value::write_xattr(xattr, &mut self.text);
            }
            return;
        }
        self.separate(start);
        self.text.extend_from_slice(word.as_bytes());
        if !keyword.is_bare() {
            self.text.push(b'=');
            value::write(facts, keyword, &mut self.text).unwrap_or_default();
        }
    }

    fn separate(&mut self, start: usize) {
        if self.text.len() > start {
            self.text.push(b' ');
        }
    }

    /// Ends the line. It never ends in a backslash, which some tools take for a continuation.
    fn end_line(&mut self) -> io::Result<()> {
        if self.text.ends_with(b"\\\\") {
            self.text.truncate(self.text.len() - 2);
            self.text.extend_from_slice(b"\\134");
        }
        self.text.push(b'\n');
        if self.text.len() < PIECE { Ok(()) } else { self.flush() }
    }

    /// Writes the groups of hard links as comments, since mtree's format has no keyword for them.
    fn hard_links(&mut self) -> io::Result<()> {
        for (group, id) in self.manifest.hard_links() {
            write!(self.text, "#:hardlink {group} ./")?;
            escape_in_comment(&self.manifest.path(*id), &mut self.text);
            self.end_line()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sum.update(&self.text);
        self.output.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtree::{Builder, Device, ReadOptions, Timestamp, Trailer, Xattr, read};
    use proptest::prelude::*;

    fn text(manifest: &Manifest, dialect: Dialect, layout: Layout) -> Vec<u8> {
        let mut text = Vec::new();
        let options = WriteOptions { dialect, layout, ..WriteOptions::default() };
        write(manifest, &options, &mut text).unwrap();
        text
    }

    #[test]
    fn no_line_ends_in_a_backslash() {
        let mut builder = Builder::default();
        let id = builder.enter(EntryId::ROOT, b"a\\");
        builder.entry_mut(id).facts.rare_mut().link = Some(Box::from(&b"x\\"[..]));
        let other = builder.enter(EntryId::ROOT, b"b\\");
        let manifest = builder.finish(vec![(1, id), (1, other)]);
        for layout in [Layout::Full, Layout::Relative, Layout::PathLast] {
            let text = String::from_utf8(text(&manifest, Dialect::Portable, layout)).unwrap();
            assert!(text.lines().all(|line| !line.ends_with('\\')), "{text}");
        }
    }

    #[test]
    fn each_dialect_has_its_words() {
        let mut builder = Builder::default();
        let id = builder.enter(EntryId::ROOT, b"a");
        let entry = builder.entry_mut(id);
        entry.stated = true;
        entry.facts.kind = Some(Kind::Char);
        entry.facts.rare_mut().device = Some(Device { major: 1, minor: 3 });
        entry.facts.digests.set(crate::mtree::Algorithm::Rmd160, &[0; 20]);
        let manifest = builder.finish(Vec::new());
        let line = |dialect| {
            let text = String::from_utf8(text(&manifest, dialect, Layout::Full)).unwrap();
            text.lines().nth(2).unwrap().replace(&"0".repeat(40), "00")
        };
        assert_eq!(line(Dialect::Portable), "./a type=char device=linux,1,3 rmd160digest=00");
        assert_eq!(line(Dialect::Netbsd), "./a type=char device=linux,1,3 rmd160=00");
        assert_eq!(line(Dialect::Freebsd), "./a type=char ripemd160digest=00");
        assert_eq!(Dialect::Freebsd.lost(Keywords::ALL).to_string(), "device");
    }

    fn facts() -> impl Strategy<Value = Facts> {
        let numbers = (any::<Option<u32>>(), any::<Option<u32>>(), any::<Option<u64>>());
        let name = prop::collection::vec(1..=255_u8, 1..20);
        let xattrs = prop::collection::vec((name.clone(), any::<Vec<u8>>()), 0..3);
        let time = prop::option::of((any::<i64>(), 0..1_000_000_000_u32));
        let rare = (prop::option::of(name), xattrs, any::<Option<[u8; 32]>>(), any::<bool>());
        (0..=0o7777_u16, numbers, time, rare).prop_map(|(mode, (uid, gid, size), time, rare)| {
            let kind = if rare.0.is_some() { Kind::Link } else { Kind::File };
            let mut facts = Facts { kind: Some(kind), mode: Some(mode), ..Facts::default() };
            (facts.uid, facts.gid, facts.optional) = (uid, gid, rare.3);
            facts.time = time.map(|(seconds, nanoseconds)| Timestamp { seconds, nanoseconds });
            if kind == Kind::Link {
                facts.rare_mut().link = rare.0.map(Into::into);
            } else {
                facts.size = size;
                if let Some(digest) = rare.2 {
                    facts.digests.set(crate::mtree::Algorithm::Sha256, &digest);
                }
            }
            for (name, value) in rare.1 {
                let xattr = Xattr { name: name.into(), value: value.into() };
                let xattrs = &mut facts.rare_mut().xattrs;
                xattrs.retain(|one| one.name != xattr.name);
                xattrs.push(xattr);
                xattrs.sort_unstable();
            }
            facts
        })
    }

    fn manifests() -> impl Strategy<Value = Manifest> {
        let byte = (1..=255_u8).prop_filter("no slash", |byte| *byte != b'/');
        let name = prop::collection::vec(byte, 1..12);
        let name = name.prop_filter("a name", |name| name != b"." && name != b"..");
        let entry = (any::<prop::sample::Index>(), name, facts(), any::<bool>());
        prop::collection::vec(entry, 0..20).prop_map(|entries| {
            let mut builder = Builder::default();
            builder.entry_mut(EntryId::ROOT).facts.kind = Some(Kind::Dir);
            builder.entry_mut(EntryId::ROOT).stated = true;
            let mut dirs = vec![EntryId::ROOT];
            for (parent, name, mut facts, is_dir) in entries {
                let parent = dirs[parent.index(dirs.len())];
                if builder.find(parent, &name).is_some() {
                    continue;
                }
                let id = builder.enter(parent, &name);
                if is_dir {
                    facts = Facts { kind: Some(Kind::Dir), mode: facts.mode, ..Facts::default() };
                    dirs.push(id);
                }
                let entry = builder.entry_mut(id);
                (entry.stated, entry.facts) = (true, facts);
            }
            builder.finish(Vec::new())
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_written_again(manifest in manifests()) {
            for layout in [Layout::Full, Layout::Relative, Layout::PathLast] {
                let first = text(&manifest, Dialect::Portable, layout);
                let reading = read(&first[..], &ReadOptions::default()).unwrap();
                prop_assert_eq!(reading.trailer, Trailer::Whole);
                prop_assert_eq!(&reading.warnings, &[]);
                let second = text(&reading.manifest, Dialect::Portable, layout);
                prop_assert_eq!(
                    String::from_utf8_lossy(&first),
                    String::from_utf8_lossy(&second)
                );
            }
        }

        #[test]
        fn there_and_back_keeps_what_both_dialects_can_say(manifest in manifests()) {
            let dialects =
                [Dialect::Netbsd, Dialect::Freebsd, Dialect::Libarchive, Dialect::Gomtree];
            for dialect in dialects {
                for layout in [Layout::Full, Layout::Relative] {
                    let there = text(&manifest, dialect, layout);
                    let back = read(&there[..], &ReadOptions::default()).unwrap().manifest;
                    let again = text(&back, dialect, layout);
                    prop_assert_eq!(
                        String::from_utf8_lossy(&there),
                        String::from_utf8_lossy(&again)
                    );
                }
            }
        }

        #[test]
        fn no_text_brings_the_reader_down(bytes in any::<Vec<u8>>(), words in "[./a#=\\\\ \n]{0,80}") {
            let _ = read(&bytes[..], &ReadOptions::default());
            let _ = read(words.as_bytes(), &ReadOptions::default());
        }
    }
}
