//! Reads the members of an archive one after the other: the headers that describe a member, and its
//! content.
//!
//! An archive ends in two blocks of zeros. If they are missing, the archive was truncated or its
//! producer failed: an error of the kind [`io::ErrorKind::UnexpectedEof`].

use super::field::{BLOCK, as_gnu, is_whole, number};
use super::pax::Records;
use super::sparse::Map;
use crate::mtree::escape::Escaped;
use std::io::{self, Read};
use tar::{GnuExtSparseHeader, Header};

/// Limit for the headers of one member, in bytes: names, extended attributes, sparse maps.
const MOST_DESCRIPTION: u64 = 64 << 20;

/// Limit for the global headers, in bytes. Each member gets a copy of them.
const MOST_GLOBAL: u64 = 64 << 10;

/// A member: an object, or metadata about other members.
pub(super) struct Member {
    pub(super) header: Header,
    pub(super) path: Vec<u8>,
    /// Target of a symbolic or hard link; empty for other members.
    pub(super) target: Vec<u8>,
    pub(super) pax: Records,
    /// The sparse map in GNU tar's old format.
    pub(super) holes: Option<Map>,
}

impl Member {
    /// The type flag.
    pub(super) fn letter(&self) -> u8 {
        self.header.as_old().linkflag[0]
    }
}

/// Reads an archive.
pub(super) struct Members<R> {
    input: R,
    /// Number of bytes read.
    at: u64,
    /// Bytes that were read ahead and are to be read again.
    ahead: io::Cursor<Vec<u8>>,
    /// Number of unread bytes of the current member's content.
    left: u64,
    /// Number of padding bytes after the content.
    filling: u64,
    /// The current member's path, for messages.
    path: Vec<u8>,
    /// The global pax records, which apply to all later members, and their length.
    global: Records,
    global_length: u64,
}

/// The contents of the headers before a member.
#[derive(Default)]
struct Described {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    pax: Option<Records>,
    length: u64,
}

impl<R: Read> Members<R> {
    pub(super) fn new(input: R) -> Self {
        let (path, ahead, global) = (Vec::new(), io::Cursor::default(), Records::default());
        Self { input, at: 0, ahead, left: 0, filling: 0, path, global, global_length: 0 }
    }

    /// Skips the rest of the current member and returns the next; `None` at the end of the archive.
    ///
    /// # Errors
    /// If the input cannot be read, is no archive, is damaged or is truncated.
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        let mut described = Described::default();
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                return match described.length {
                    0 => Ok(None),
                    _ => Err(damaged("its last header describes a member that is missing")),
                };
            };
            let letter = header.as_old().linkflag[0];
            if !matches!(letter, b'L' | b'K' | b'x' | b'X' | b'g') {
                return self.member(header, described).map(Some);
            }
            let text = self.description(&header, &mut described)?;
            match letter {
                b'L' => described.path = Some(until_nul(&text).to_vec()),
                b'K' => described.target = Some(until_nul(&text).to_vec()),
                b'g' => self.global.add(&text)?,
                // Solaris used this letter for pax headers before POSIX assigned one.
                _ => described.pax.get_or_insert_default().add(&text)?,
            }
        }
    }

    /// The content of a header that describes a member.
    fn description(&mut self, header: &Header, described: &mut Described) -> io::Result<Vec<u8>> {
        let size = size(header)?;
        // An empty description still requires a member after it.
        described.length = described.length.saturating_add(size).max(1);
        if header.as_old().linkflag[0] == b'g' {
            self.global_length = self.global_length.saturating_add(size);
        }
        if described.length > MOST_DESCRIPTION || self.global_length > MOST_GLOBAL {
            return Err(damaged("the headers of a member are too long"));
        }
        self.begin(size);
        let mut text = Vec::new();
        self.read_to_end(&mut text)?;
        Ok(text)
    }

    fn member(&mut self, header: Header, described: Described) -> io::Result<Member> {
        let mut pax = self.global.clone();
        let own = described.pax.unwrap_or_default();
        let is_described = !own.is_empty();
        pax.extend(own);
        let path = pax.find("path").map(<[u8]>::to_vec).or(described.path);
        let target = pax.find("linkpath").map(<[u8]>::to_vec).or(described.target);
        let mut member = Member {
            path: path.unwrap_or_else(|| header.path_bytes().into_owned()),
            target: target.or_else(|| header.link_name_bytes().map(Into::into)).unwrap_or_default(),
            header,
            pax,
            holes: None,
        };
        if let Some(name) = member.pax.find("GNU.sparse.name") {
            member.path = name.to_vec();
        }
        self.path.clone_from(&member.path);
        if member.letter() == b'S' {
            member.holes = Some(self.holes(&member.header)?);
        }
        let size = match member.pax.number("size") {
            Some(size) => size,
            None => size(&member.header)?,
        };
        let size = match member.letter() {
            // For these types the size is that of the archived object; no data follows.
            b'2'..=b'6' => 0,
            b'1' if size > 0 && !self.link_has_data(&member, is_described)? => 0,
            _ => size,
        };
        self.begin(size);
        Ok(member)
    }

    /// True if data follows a hard link that has a size. With pax headers, data follows. In older
    /// formats, star writes the size without data, so this looks at what follows.
    fn link_has_data(&mut self, member: &Member, is_described: bool) -> io::Result<bool> {
        if is_described && member.header.as_ustar().is_some() {
            return Ok(true);
        }
        let Some(block) = self.block()? else { return Ok(false) };
        self.ahead = io::Cursor::new(block.as_bytes().to_vec());
        self.at -= BLOCK as u64;
        Ok(!is_whole(&block) && !is_zero(&block))
    }

    /// The sparse map in a header of GNU tar's old format and in its continuation blocks.
    fn holes(&mut self, header: &Header) -> io::Result<Map> {
        let header = as_gnu(header);
        let gnu = header.as_gnu().expect("its magic was just written");
        let mut numbers = Vec::new();
        let mut is_open = Map::add_slots(&gnu.sparse, &mut numbers)?;
        let mut goes_on = gnu.isextended != [0];
        while goes_on {
            let block = self.block()?.ok_or_else(|| self.cut_inside())?;
            let mut more = GnuExtSparseHeader::new();
            more.as_mut_bytes().copy_from_slice(block.as_bytes());
            is_open = is_open && Map::add_slots(&more.sparse, &mut numbers)?;
            goes_on = more.isextended != [0];
        }
        let size = number(&gnu.realsize).and_then(|size| u64::try_from(size).ok());
        Map::new(
            &numbers,
            size.ok_or_else(|| damaged("the size of a sparse file is not a number"))?,
        )
    }

    /// The next header; `None` at the end of the archive.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let Some(block) = self.block()? else {
            return Err(cut(if self.at == 0 {
                "it is empty".to_owned()
            } else {
                format!("it ends after {} bytes, without the end mark of an archive", self.at)
            }));
        };
        if is_zero(&block) {
            return match self.block()? {
                Some(second) if is_zero(&second) => Ok(None),
                _ => Err(cut(format!(
                    "at byte {} there is only one block of zeros; the end of an archive has two",
                    self.at.saturating_sub(2 * BLOCK as u64)
                ))),
            };
        }
        if is_whole(&block) {
            return Ok(Some(block));
        }
        Err(if self.at == BLOCK as u64 {
            damaged("it is not a tar archive")
        } else {
            damaged(&format!("its header at byte {} is damaged", self.at - BLOCK as u64))
        })
    }

    /// The next block; `None` at the end of the input.
    fn block(&mut self) -> io::Result<Option<Header>> {
        let mut block = Header::new_old();
        let mut have = 0;
        while have < BLOCK {
            match self.take(&mut block.as_mut_bytes()[have..])? {
                0 if have == 0 => return Ok(None),
                0 => return Err(cut("it ends inside a header".to_owned())),
                length => have += length,
            }
        }
        Ok(Some(block))
    }

    fn begin(&mut self, size: u64) {
        self.left = size;
        self.filling = size.wrapping_neg() % BLOCK as u64;
    }

    /// Skips the rest of the current member.
    fn skip(&mut self) -> io::Result<()> {
        if let Some(all) = self.left.checked_add(self.filling) {
            self.left = all;
        }
        self.filling = 0;
        io::copy(self, &mut io::sink()).map(drop)
    }

    fn take(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut length = self.ahead.read(buffer)?;
        while length == 0 {
            match self.input.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => length = read?,
            }
            break;
        }
        self.at += length as u64;
        Ok(length)
    }

    fn cut_inside(&self) -> io::Error {
        cut(format!("it ends inside {}", Escaped(&self.path)))
    }
}

/// Reads the content of the current member.
impl<R: Read> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| buffer.len().min(left));
        if most == 0 {
            return Ok(0);
        }
        match self.take(&mut buffer[..most])? {
            0 => Err(self.cut_inside()),
            length => {
                self.left -= length as u64;
                Ok(length)
            }
        }
    }
}

fn size(header: &Header) -> io::Result<u64> {
    let size = number(&header.as_old().size).and_then(|size| u64::try_from(size).ok());
    size.ok_or_else(|| damaged("the size of a member is not a number"))
}

fn is_zero(block: &Header) -> bool {
    block.as_bytes().iter().all(|byte| *byte == 0)
}

fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn cut(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, why)
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_members_content_stays_its_end() {
        for length in [0, 1, 511, 512, 513, 70_000] {
            let content = vec![b'x'; length];
            let mut header = Header::new_ustar();
            header.set_size(length as u64);
            header.set_cksum();
            let filling = vec![0; length.next_multiple_of(BLOCK) - length + 2 * BLOCK];
            let archive = [header.as_bytes(), &content[..], &filling[..]].concat();
            let mut members = Members::new(&archive[..]);
            assert!(members.next().unwrap().is_some());
            assert_eq!(crate::blocks::ends_for_good(&mut members), content);
            assert!(members.next().unwrap().is_none());
        }
    }
}
