//! Makes a manifest of an archive: tar in all its formats, plain or compressed with zstd.

mod facts;
mod field;
mod member;
mod pax;
mod sparse;
#[cfg(test)]
mod tests;

use super::builder::Builder;
use super::create::{Created, Trouble};
use super::digest::Hasher;
use super::entry::EntryId;
use super::facts::{Facts, Kind};
use super::keyword::{Keyword, Keywords};
use super::read::Limits;
use crate::progress::Meter;
use crate::unpack::readable;
use member::{Member, Members};
use sparse::Map;
use std::collections::{HashMap, HashSet};
use std::io::{self, Read};

/// Bytes per read.
const BUFFER: usize = 256 * 1024;

/// Keywords that archives cannot provide.
const UNAVAILABLE: [Keyword; 3] = [Keyword::Inode, Keyword::Resdevice, Keyword::Acl];

/// Makes the manifest that matches the tree after the archive is unpacked.
///
/// Hard links get the size and digest of their target, and are counted. The manifest includes the
/// root and directories that the archive implies. Reads the stream to its end, even beyond the end
/// of the archive.
///
/// # Errors
/// If the stream cannot be read or is no archive. Members that cannot be unpacked below one
/// directory are reported as troubles. A truncated archive is no error: see [`Created::cut`].
pub fn of_archive(stream: impl Read, keywords: Keywords, meter: &Meter) -> io::Result<Created> {
    let mut stream = readable(stream)?;
    let mut tree = Tree::new(keywords);
    let read = tree.add_all(&mut Members::new(&mut stream), meter);
    let read = read.and_then(|()| io::copy(&mut stream, &mut io::sink()).map(drop));
    let cut = match read {
        Ok(()) => None,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Some(error),
        Err(error) => return Err(error),
    };
    Ok(Created { cut, ..tree.finish() })
}

/// The subset of `keywords` that no manifest of an archive has.
pub fn unavailable_in_archives(keywords: Keywords) -> Keywords {
    keywords.unknowable().union(keywords.intersection(UNAVAILABLE.into_iter().collect()))
}

/// The tree that the archive unpacks to.
struct Tree {
    keywords: Keywords,
    builder: Builder,
    /// Directories that contain an object.
    holding: HashSet<EntryId>,
    /// For each name of a file, the file's number. Hard links have the same number.
    files: HashMap<EntryId, u64>,
    files_numbered: u64,
    troubles: Vec<Trouble>,
    buffer: Vec<u8>,
}

impl Tree {
    fn new(keywords: Keywords) -> Self {
        let mut builder = Builder::default();
        let root = builder.entry_mut(EntryId::ROOT);
        (root.stated, root.facts.kind) = (true, Some(Kind::Dir));
        Self {
            keywords,
            builder,
            holding: HashSet::from([EntryId::ROOT]),
            files: HashMap::new(),
            files_numbered: 0,
            troubles: Vec::new(),
            buffer: vec![0; BUFFER],
        }
    }

    fn add_all(&mut self, members: &mut Members<impl Read>, meter: &Meter) -> io::Result<()> {
        while let Some(member) = members.next()? {
            let added = match becomes(&member) {
                Becomes::Nothing => Ok(()),
                Becomes::Rest => refused("it is the continuation of a file on another volume"),
                Becomes::Name => self.link(&member),
                Becomes::Object(kind) => match self.place(&member.path, kind) {
                    Ok(id) => {
                        self.object(id, kind, &member, members, meter)?;
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
            };
            if let Err(error) = added {
                self.troubles.push(Trouble { path: member.path, error });
            }
        }
        Ok(())
    }

    fn object(
        &mut self,
        id: EntryId,
        kind: Kind,
        member: &Member,
        content: &mut impl Read,
        meter: &Meter,
    ) -> io::Result<()> {
        let mut facts = member.facts(kind, self.keywords);
        if kind == Kind::File {
            let size = self.content(&mut facts, member, content, meter)?;
            facts.size = Some(size).filter(|_| self.keywords.contains(Keyword::Size));
        }
        // The earlier object of this name is another file, which may still have other names.
        self.files.remove(&id);
        let entry = self.builder.entry_mut(id);
        (entry.stated, entry.facts) = (true, facts);
        Ok(())
    }

    /// The entry for an object of that kind.
    fn place(&mut self, path: &[u8], kind: Kind) -> io::Result<EntryId> {
        let names = names(path)?;
        let limits = Limits::default();
        if names.len() > limits.depth || self.builder.len() >= limits.entries {
            return refused("too many directories or objects");
        }
        let mut at = EntryId::ROOT;
        for name in names {
            let parent = self.builder.entry_mut(at);
            if *parent.facts.kind.get_or_insert(Kind::Dir) != Kind::Dir {
                return refused("its parent is not a directory");
            }
            parent.stated = true;
            self.holding.insert(at);
            at = self.builder.enter(at, name);
        }
        if kind != Kind::Dir && self.holding.contains(&at) {
            return refused("it would replace a directory that is not empty");
        }
        Ok(at)
    }

    /// Adds a hard link.
    fn link(&mut self, member: &Member) -> io::Result<()> {
        let find = |at: Option<EntryId>, name: &&[u8]| self.builder.find(at?, name);
        let target = names(&member.target)?.iter().fold(Some(EntryId::ROOT), find);
        let is_file = |id: &EntryId| {
            let entry = self.builder.entry(*id);
            entry.stated && entry.facts.kind != Some(Kind::Dir)
        };
        let Some(target) = target.filter(is_file) else {
            return refused("it is a hard link to a member that did not come before");
        };
        let facts = self.builder.entry(target).facts.clone();
        let id = self.place(&member.path, facts.kind.unwrap_or(Kind::File))?;
        if id == target {
            return Ok(());
        }
        let file = *self.files.entry(target).or_insert_with(|| {
            self.files_numbered += 1;
            self.files_numbered
        });
        self.files.insert(id, file);
        let entry = self.builder.entry_mut(id);
        (entry.stated, entry.facts) = (true, facts);
        Ok(())
    }

    fn content(
        &mut self,
        facts: &mut Facts,
        member: &Member,
        data: &mut impl Read,
        meter: &Meter,
    ) -> io::Result<u64> {
        let mut hasher = Hasher::new(self.keywords.algorithms());
        let mut size = 0;
        let mut give = |bytes: &[u8]| {
            hasher.update(bytes);
            meter.add(bytes.len() as u64);
            size += bytes.len() as u64;
        };
        if let Some(map) = sparse_map(member, data)? {
            map.fill(data, &mut self.buffer, give)?;
        } else {
            loop {
                match data.read(&mut self.buffer)? {
                    0 => break,
                    length => give(&self.buffer[..length]),
                }
            }
        }
        facts.digests = hasher.finish();
        Ok(size)
    }

    /// Sets the link counts of files with several names.
    fn finish(mut self) -> Created {
        let mut groups: HashMap<u64, Vec<EntryId>> = HashMap::new();
        for (id, file) in self.files {
            groups.entry(file).or_default().push(id);
        }
        if self.keywords.contains(Keyword::Nlink) {
            let one = |kind: Option<Kind>| kind.is_some_and(|kind| kind != Kind::Dir);
            for index in 0..self.builder.len() {
                let facts = &mut self.builder.entry_mut(EntryId::of_index(index)).facts;
                facts.nlink = one(facts.kind).then_some(1);
            }
            for ids in groups.values() {
                for id in ids {
                    self.builder.entry_mut(*id).facts.nlink = u32::try_from(ids.len()).ok();
                }
            }
        }
        let links = groups.into_iter();
        let links = links.flat_map(|(group, ids)| ids.into_iter().map(move |id| (group, id)));
        let manifest = self.builder.finish(links.collect());
        Created { manifest, troubles: self.troubles, cut: None }
    }
}

/// What a member unpacks to.
enum Becomes {
    Object(Kind),
    /// A hard link.
    Name,
    /// The continuation of a file from another volume.
    Rest,
    /// Metadata only: a volume label, an access control list of Solaris.
    Nothing,
}

fn becomes(member: &Member) -> Becomes {
    let is_dir = member.path.ends_with(b"/");
    Becomes::Object(match member.letter() {
        b'1' => return Becomes::Name,
        b'M' => return Becomes::Rest,
        b'V' | b'A' => return Becomes::Nothing,
        b'2' => Kind::Link,
        b'3' => Kind::Char,
        b'4' => Kind::Block,
        // The content of a D is the list of the directory's names.
        b'5' | b'D' => Kind::Dir,
        b'6' => Kind::Fifo,
        // Formats older than the type flag for directories mark them by a trailing slash.
        0 | b'0' | b'7' if is_dir => Kind::Dir,
        // POSIX: treat an unknown type as a regular file.
        _ => Kind::File,
    })
}

/// The sparse map of a file, if it has one.
fn sparse_map(member: &Member, data: &mut impl Read) -> io::Result<Option<Map>> {
    if let Some(map) = &member.holes {
        return Ok(Some(map.clone()));
    }
    let pax = &member.pax;
    let size = pax.number("GNU.sparse.realsize").or_else(|| pax.number("GNU.sparse.size"));
    let Some(size) = size else { return Ok(None) };
    match (pax.find("GNU.sparse.major"), pax.find("GNU.sparse.map")) {
        (Some(b"1"), _) => Map::in_front(data, size).map(Some),
        (None | Some(b"0"), Some(record)) => Map::in_record(record, size).map(Some),
        (None | Some(b"0"), None) => Map::in_records(pax, size).map(Some),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a sparse file in an unknown format")),
    }
}

/// The components of a path. Drops a leading slash, as every tar does.
fn names(path: &[u8]) -> io::Result<Vec<&[u8]>> {
    let names = path.split(|byte| *byte == b'/');
    let names: Vec<_> = names.filter(|name| !name.is_empty() && *name != b".").collect();
    if names.iter().any(|name| *name == b".." || name.contains(&0)) {
        return refused("its name would leave the tree");
    }
    Ok(names)
}

fn refused<T>(why: &'static str) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::InvalidData, why))
}
