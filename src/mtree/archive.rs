//! A manifest of an archive: tar in all its forms, plain or compressed with zstd.

use std::collections::HashMap;
use std::io::{self, Read};

use tar::EntryType;

use super::create::{Created, Trouble};
use super::digest::Hasher;
use super::facts::{Device, Facts, Kind, Timestamp, Xattr};
use super::keyword::{Keyword, Keywords};
use super::manifest::{Builder, EntryId};
use super::read::Limits;
use super::sparse::Map;
use crate::progress::Meter;
use crate::unpack::unpacked;

/// Bytes read in one go.
const BUFFER: usize = 256 * 1024;

/// Makes the manifest that the tree unpacked from an archive has to match.
///
/// Hard links get the size and digest of their target, and are counted; directories that the
/// archive implies are in the manifest, as is the root. The stream is read to its end, also
/// beyond the end of the archive.
///
/// # Errors
/// The stream cannot be read or is not an archive. Members that could never be unpacked below
/// one directory are among the troubles.
pub fn of_archive(stream: impl Read, keywords: Keywords, meter: &Meter) -> io::Result<Created> {
    let mut stream = unpacked(stream)?;
    let mut archive = tar::Archive::new(&mut stream);
    let mut members = Members {
        keywords,
        builder: Builder::default(),
        links: HashMap::new(),
        troubles: Vec::new(),
        buffer: vec![0; BUFFER],
    };
    let root = members.builder.entry_mut(EntryId::ROOT);
    (root.stated, root.facts.kind) = (true, Some(Kind::Dir));
    for member in archive.entries()? {
        members.add(member?, meter)?;
    }
    io::copy(&mut stream, &mut io::sink())?;
    Ok(members.finish())
}

struct Members {
    keywords: Keywords,
    builder: Builder,
    /// The first name of what has several, by each other one.
    links: HashMap<EntryId, EntryId>,
    troubles: Vec<Trouble>,
    buffer: Vec<u8>,
}

impl Members {
    fn add<R: Read>(&mut self, mut member: tar::Entry<'_, R>, meter: &Meter) -> io::Result<()> {
        let pax = Pax::of(&mut member)?;
        let path = member.path_bytes();
        let path = pax.find("GNU.sparse.name").unwrap_or(&path).to_vec();
        let Some(kind) = kind(member.header().entry_type()) else { return Ok(()) };
        let id = match self.place(&path) {
            Ok(id) => id,
            Err(error) => {
                self.troubles.push(Trouble { path, error });
                return Ok(());
            }
        };
        if member.header().entry_type() == EntryType::Link {
            self.link(id, &path, &member);
            return Ok(());
        }
        let mut facts = self.facts(kind, &member, &pax)?;
        if kind == Kind::File {
            let size = self.content(&mut facts, &mut member, &pax, meter)?;
            facts.size = Some(size).filter(|_| self.keywords.contains(Keyword::Size));
        }
        self.links.remove(&id);
        let entry = self.builder.entry_mut(id);
        (entry.stated, entry.facts) = (true, facts);
        Ok(())
    }

    /// The object a member becomes. A slash in front is dropped, as every tar does.
    fn place(&mut self, path: &[u8]) -> io::Result<EntryId> {
        let refused = |why| Err(io::Error::new(io::ErrorKind::InvalidData, why));
        let names = path.split(|byte| *byte == b'/');
        let names: Vec<_> = names.filter(|name| !name.is_empty() && *name != b".").collect();
        let limits = Limits::default();
        if names.iter().any(|name| *name == b".." || name.contains(&0)) {
            return refused("the name would leave the tree");
        }
        if names.len() > limits.depth || self.builder.len() >= limits.entries {
            return refused("too many directories or objects");
        }
        let mut at = EntryId::ROOT;
        for (nth, name) in names.iter().enumerate() {
            at = self.builder.enter(at, name);
            if nth + 1 < names.len() {
                let parent = self.builder.entry_mut(at);
                if *parent.facts.kind.get_or_insert(Kind::Dir) != Kind::Dir {
                    return refused("it is below something that is no directory");
                }
                parent.stated = true;
            }
        }
        Ok(at)
    }

    fn link<R: Read>(&mut self, id: EntryId, path: &[u8], member: &tar::Entry<'_, R>) {
        let target = member.link_name_bytes().unwrap_or_default().into_owned();
        match self.place(&target) {
            Ok(target) if target != id && self.builder.entry(target).stated => {
                let first = self.links.get(&target).copied().unwrap_or(target);
                let facts = self.builder.entry(first).facts.clone();
                let entry = self.builder.entry_mut(id);
                (entry.stated, entry.facts) = (true, facts);
                self.links.insert(id, first);
            }
            _ => {
                let error = io::Error::new(
                    io::ErrorKind::InvalidData,
                    "it is a hard link to nothing that came before",
                );
                self.troubles.push(Trouble { path: path.to_vec(), error });
            }
        }
    }

    fn facts<R: Read>(
        &self,
        kind: Kind,
        member: &tar::Entry<'_, R>,
        pax: &Pax,
    ) -> io::Result<Facts> {
        let known = |keyword| self.keywords.contains(keyword);
        let header = member.header();
        let mut facts = Facts { kind: Some(kind), ..Facts::default() };
        facts.mode = Some((header.mode()? & 0o7777) as u16).filter(|_| known(Keyword::Mode));
        let number = |text: Option<&[u8]>| str::from_utf8(text?).ok()?.parse().ok();
        let uid = number(pax.find("uid")).or(u32::try_from(header.uid()?).ok());
        let gid = number(pax.find("gid")).or(u32::try_from(header.gid()?).ok());
        facts.uid = uid.filter(|_| known(Keyword::Uid));
        facts.gid = gid.filter(|_| known(Keyword::Gid));
        if known(Keyword::Time) {
            let whole = i64::try_from(header.mtime()?).ok();
            let whole = whole.map(|seconds| Timestamp { seconds, nanoseconds: 0 });
            facts.time = pax.find("mtime").and_then(pax_time).or(whole);
        }
        let name = |key: &str, header: Option<&[u8]>| {
            let name = pax.find(key).or(header)?;
            (!name.is_empty()).then(|| name.into())
        };
        if known(Keyword::Uname)
            && let Some(name) = name("uname", header.username_bytes())
        {
            facts.rare_mut().uname = Some(name);
        }
        if known(Keyword::Gname)
            && let Some(name) = name("gname", header.groupname_bytes())
        {
            facts.rare_mut().gname = Some(name);
        }
        if known(Keyword::Device) && kind.is_device() {
            let (major, minor) = (header.device_major()?, header.device_minor()?);
            let device = major.zip(minor).map(|(major, minor)| Device { major, minor });
            facts.rare_mut().device = device;
        }
        if known(Keyword::Xattr) {
            pax.xattrs(&mut facts);
        }
        if known(Keyword::Link) && kind == Kind::Link {
            facts.rare_mut().link = member.link_name_bytes().map(|target| Box::from(&*target));
        }
        Ok(facts)
    }

    fn content<R: Read>(
        &mut self,
        facts: &mut Facts,
        member: &mut tar::Entry<'_, R>,
        pax: &Pax,
        meter: &Meter,
    ) -> io::Result<u64> {
        let mut hasher = Hasher::new(self.keywords.algorithms());
        if let Some(map) = pax.sparse(member)? {
            let size = map.fill(member, &mut self.buffer, |bytes| {
                hasher.update(bytes);
                meter.add(bytes.len() as u64);
            })?;
            facts.digests = hasher.finish();
            return Ok(size);
        }
        let mut size = 0;
        loop {
            match member.read(&mut self.buffer)? {
                0 => break,
                length => {
                    hasher.update(&self.buffer[..length]);
                    meter.add(length as u64);
                    size += length as u64;
                }
            }
        }
        facts.digests = hasher.finish();
        Ok(size)
    }

    /// Counts the names of what has several.
    fn finish(mut self) -> Created {
        let mut groups: HashMap<EntryId, Vec<EntryId>> = HashMap::new();
        for (id, first) in self.links {
            groups.entry(first).or_insert_with(|| vec![first]).push(id);
        }
        if self.keywords.contains(Keyword::Nlink) {
            let one = |kind: Option<Kind>| kind.is_some_and(|kind| kind != Kind::Dir);
            for index in 0..self.builder.len() {
                let id = EntryId::of_index(index);
                let facts = &mut self.builder.entry_mut(id).facts;
                facts.nlink = one(facts.kind).then_some(1);
            }
            for ids in groups.values() {
                for id in ids {
                    self.builder.entry_mut(*id).facts.nlink = u32::try_from(ids.len()).ok();
                }
            }
        }
        let links = (1..).zip(groups.into_values());
        let links = links.flat_map(|(group, ids)| ids.into_iter().map(move |id| (group, id)));
        let manifest = self.builder.finish(links.collect());
        Created { manifest, troubles: self.troubles }
    }
}

/// What a member becomes; nothing for those that only tell of others.
fn kind(entry: EntryType) -> Option<Kind> {
    Some(match entry {
        EntryType::Directory => Kind::Dir,
        EntryType::Symlink => Kind::Link,
        EntryType::Fifo => Kind::Fifo,
        EntryType::Char => Kind::Char,
        EntryType::Block => Kind::Block,
        EntryType::XGlobalHeader | EntryType::XHeader => return None,
        EntryType::GNULongName | EntryType::GNULongLink => return None,
        // POSIX: types that are not known are files.
        _ => Kind::File,
    })
}

/// The records of a member's pax header.
struct Pax(Vec<Record>);

struct Record {
    key: Box<[u8]>,
    value: Box<[u8]>,
}

impl Pax {
    fn of<R: Read>(member: &mut tar::Entry<'_, R>) -> io::Result<Self> {
        let Some(records) = member.pax_extensions()? else { return Ok(Self(Vec::new())) };
        let mut all = Vec::new();
        for record in records {
            let record = record?;
            all.push(Record { key: record.key_bytes().into(), value: record.value_bytes().into() });
        }
        Ok(Self(all))
    }

    fn find(&self, key: &str) -> Option<&[u8]> {
        let record = self.0.iter().rev().find(|record| *record.key == *key.as_bytes());
        record.map(|record| &*record.value)
    }

    /// Where the data of a file with holes goes.
    fn sparse(&self, data: &mut impl Read) -> io::Result<Option<Map>> {
        let number = |key| str::from_utf8(self.find(key)?).ok()?.parse().ok();
        let size = number("GNU.sparse.realsize").or(number("GNU.sparse.size"));
        match (size, self.find("GNU.sparse.major"), self.find("GNU.sparse.map")) {
            (Some(size), Some(b"1"), _) => Map::in_front(data, size).map(Some),
            (Some(size), None, Some(record)) => Map::in_record(record, size).map(Some),
            _ => Ok(None),
        }
    }

    fn xattrs(&self, facts: &mut Facts) {
        for Record { key, value } in &self.0 {
            if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                let xattr = Xattr { name: name.into(), value: value.clone() };
                facts.rare_mut().xattrs.push(xattr);
            }
        }
        if !facts.rare().xattrs.is_empty() {
            facts.rare_mut().xattrs.sort_unstable();
        }
    }
}

/// Decimal seconds with a fraction, rounded down: `-1.5` is half a second after -2.
fn pax_time(text: &[u8]) -> Option<Timestamp> {
    let text = str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanoseconds = digits.try_fold(0_u32, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0'))
    })?;
    let seconds: i64 = whole.parse().ok()?;
    if whole.starts_with('-') && nanoseconds > 0 {
        let seconds = seconds.checked_sub(1)?;
        return Some(Timestamp { seconds, nanoseconds: 1_000_000_000 - nanoseconds });
    }
    Some(Timestamp { seconds, nanoseconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtree::{WriteOptions, write};
    use crate::progress::{Progress, Work};

    fn manifest(archive: &[u8]) -> (String, Vec<String>) {
        let meter = Progress::default().start(Work::Hash, "archive", None);
        let created = of_archive(archive, Keywords::DEFAULT, &meter).unwrap();
        let mut text = Vec::new();
        write(&created.manifest, &WriteOptions::default(), &mut text).unwrap();
        let troubles = created.troubles.iter().map(ToString::to_string).collect();
        (String::from_utf8(text).unwrap(), troubles)
    }

    fn header(kind: EntryType, size: u64) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o644);
        header.set_mtime(7);
        header.set_uid(1);
        header.set_gid(2);
        header
    }

    #[test]
    fn hard_links_are_their_target_and_directories_are_there() {
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_data(&mut header(EntryType::Regular, 3), "d/b", &b"hi\n"[..]).unwrap();
        archive.append_link(&mut header(EntryType::Link, 0), "a", "d/b").unwrap();
        archive.append_link(&mut header(EntryType::Symlink, 0), "s", "x y").unwrap();
        let archive = archive.into_inner().unwrap();
        let digest = "98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4";
        let file = format!("nlink=2 size=3 time=7.000000000 sha256digest={digest}");
        let want = format!(
            "#mtree\n\
             . type=dir\n\
             ./a type=file uid=1 gid=2 mode=0644 {file}\n\
             ./d type=dir\n\
             ./d/b type=file uid=1 gid=2 mode=0644 {file}\n\
             ./s type=link uid=1 gid=2 mode=0644 nlink=1 link=x\\040y time=7.000000000\n\
             #:hardlink 1 ./a\n\
             #:hardlink 1 ./d/b\n"
        );
        let packed = zstd::encode_all(&archive[..], 1).unwrap();
        for stream in [archive, packed] {
            let (text, troubles) = manifest(&stream);
            assert!(text.starts_with(&want), "{text}");
            assert!(troubles.is_empty());
        }
    }

    #[test]
    fn members_that_would_leave_the_tree_are_reported() {
        let mut archive = tar::Builder::new(Vec::new());
        let mut evil = header(EntryType::Regular, 0);
        evil.as_gnu_mut().unwrap().name[..6].copy_from_slice(b"../etc");
        evil.set_cksum();
        archive.append(&evil, &b""[..]).unwrap();
        archive.append_link(&mut header(EntryType::Link, 0), "a", "nothing").unwrap();
        let (text, troubles) = manifest(&archive.into_inner().unwrap());
        assert!(!text.contains("etc"));
        assert_eq!(
            troubles,
            [
                "../etc: the name would leave the tree",
                "a: it is a hard link to nothing that came before"
            ]
        );
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let meter = Progress::default().start(Work::Hash, "archive", None);
        assert!(of_archive(&[b'x'; 2000][..], Keywords::DEFAULT, &meter).is_err());
    }

    #[test]
    fn times_of_pax_are_decimal_fractions() {
        let check = |text: &str, seconds, nanoseconds| {
            let want = Some(Timestamp { seconds, nanoseconds });
            assert_eq!(pax_time(text.as_bytes()), want, "{text}");
        };
        check("1.5", 1, 500_000_000);
        check("-1.5", -2, 500_000_000);
        check("-1", -1, 0);
        check("7.1234567899", 7, 123_456_789);
        assert_eq!(pax_time(b"1.x"), None);
    }
}
