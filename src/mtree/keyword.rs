//! The keywords of mtree: one table of names and aliases, and sets of them.

use std::fmt;
use std::str::FromStr;

use super::digest::Algorithm;

/// Something a manifest can say of an object.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
#[allow(missing_docs)] // The names are mtree(5)'s own; the table below gives the spellings.
pub enum Keyword {
    Type,
    Uid,
    Uname,
    Gid,
    Gname,
    Mode,
    Nlink,
    Device,
    Link,
    Size,
    Time,
    TarTime,
    Cksum,
    Md5,
    Rmd160,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
    Sha512256,
    Flags,
    Inode,
    Resdevice,
    Tags,
    Content,
    Optional,
    Ignore,
    Nochange,
    Xattr,
    Acl,
}

/// Every keyword, in the order in which they are written, with every spelling; the first is ours.
const TABLE: &[(Keyword, &[&str])] = &[
    (Keyword::Type, &["type"]),
    (Keyword::Uid, &["uid"]),
    (Keyword::Uname, &["uname"]),
    (Keyword::Gid, &["gid"]),
    (Keyword::Gname, &["gname"]),
    (Keyword::Mode, &["mode"]),
    (Keyword::Nlink, &["nlink"]),
    (Keyword::Device, &["device"]),
    // The link comes early, so that no line ends in a backslash of its target: old FreeBSD and
    // go-mtree would take that for a continuation.
    (Keyword::Link, &["link"]),
    (Keyword::Size, &["size"]),
    (Keyword::Time, &["time"]),
    (Keyword::TarTime, &["tar_time"]),
    (Keyword::Cksum, &["cksum"]),
    (Keyword::Md5, &["md5digest", "md5"]),
    (Keyword::Rmd160, &["rmd160digest", "rmd160", "ripemd160digest"]),
    (Keyword::Sha1, &["sha1digest", "sha1"]),
    (Keyword::Sha256, &["sha256digest", "sha256"]),
    (Keyword::Sha384, &["sha384digest", "sha384"]),
    (Keyword::Sha512, &["sha512digest", "sha512"]),
    (Keyword::Sha512256, &["sha512256digest", "sha512256"]),
    (Keyword::Flags, &["flags"]),
    (Keyword::Inode, &["inode"]),
    (Keyword::Resdevice, &["resdevice"]),
    (Keyword::Tags, &["tags"]),
    (Keyword::Content, &["contents", "content"]),
    (Keyword::Optional, &["optional"]),
    (Keyword::Ignore, &["ignore"]),
    (Keyword::Nochange, &["nochange"]),
    (Keyword::Xattr, &["xattr", "xattrs"]),
    (Keyword::Acl, &["acl"]),
];

impl Keyword {
    /// The name we write: the spelling that most tools read.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1[0]
    }

    /// The keyword of that spelling, whichever tool's it is.
    pub fn of_name(name: &[u8]) -> Option<Self> {
        TABLE.iter().find(|row| row.1.iter().any(|alias| alias.as_bytes() == name)).map(|row| row.0)
    }

    /// The digest this keyword carries, if it carries one.
    pub fn algorithm(self) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.keyword() == self)
    }

    /// Whether the keyword stands alone, with no value.
    pub fn is_bare(self) -> bool {
        matches!(self, Self::Optional | Self::Ignore | Self::Nochange)
    }

    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of keywords.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub struct Keywords(u32);

impl Keywords {
    /// None at all.
    pub const NONE: Self = Self(0);

    /// What we write unless told otherwise: every tool reads these, and SHA-256 of the content.
    pub const DEFAULT: Self = Self(
        Keyword::Type.bit()
            | Keyword::Uid.bit()
            | Keyword::Gid.bit()
            | Keyword::Mode.bit()
            | Keyword::Nlink.bit()
            | Keyword::Device.bit()
            | Keyword::Link.bit()
            | Keyword::Size.bit()
            | Keyword::Time.bit()
            | Keyword::Sha256.bit(),
    );

    /// `all`: what can be known of an object and means the same on another host.
    pub const ALL: Self = Self(
        Self::DEFAULT.0
            | Keyword::Uname.bit()
            | Keyword::Gname.bit()
            | Keyword::Cksum.bit()
            | Keyword::Md5.bit()
            | Keyword::Rmd160.bit()
            | Keyword::Sha1.bit()
            | Keyword::Sha384.bit()
            | Keyword::Sha512.bit(),
    );

    /// Whether `keyword` is in the set.
    pub fn contains(self, keyword: Keyword) -> bool {
        self.0 & keyword.bit() != 0
    }

    /// The set and `keyword`.
    #[must_use]
    pub const fn with(self, keyword: Keyword) -> Self {
        Self(self.0 | keyword.bit())
    }

    /// Adds `keyword`.
    pub fn add(&mut self, keyword: Keyword) {
        self.0 |= keyword.bit();
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The keywords, in the order in which they are written.
    pub fn iter(self) -> impl Iterator<Item = Keyword> {
        TABLE.iter().map(|row| row.0).filter(move |keyword| self.contains(*keyword))
    }

    /// The digests among them.
    pub fn algorithms(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.into_iter().filter(move |algorithm| self.contains(algorithm.keyword()))
    }
}

impl fmt::Debug for Keywords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for Keywords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, keyword) in self.iter().enumerate() {
            write!(f, "{}{keyword}", if nth == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromIterator<Keyword> for Keywords {
    fn from_iter<I: IntoIterator<Item = Keyword>>(keywords: I) -> Self {
        let mut set = Self::NONE;
        for keyword in keywords {
            set.add(keyword);
        }
        set
    }
}

/// A word that is no keyword.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not a keyword of mtree")]
pub struct NotAKeyword(String);

/// A list such as `uid,gid,sha256` or `all`; commas, blanks or both between the words.
impl FromStr for Keywords {
    type Err = NotAKeyword;

    fn from_str(list: &str) -> Result<Self, NotAKeyword> {
        let mut set = Self::NONE;
        for word in list.split([',', ' ']).filter(|word| !word.is_empty()) {
            if word == "all" {
                set = set.union(Self::ALL);
            } else {
                let known = Keyword::of_name(word.as_bytes());
                set.add(known.ok_or_else(|| NotAKeyword(word.to_owned()))?);
            }
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (nth, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, nth);
        }
    }

    #[test]
    fn every_spelling_of_a_digest_is_the_same_keyword() {
        for alias in ["rmd160", "rmd160digest", "ripemd160digest"] {
            assert_eq!(Keyword::of_name(alias.as_bytes()), Some(Keyword::Rmd160));
        }
        assert_eq!(Keyword::of_name(b"SHA256"), None);
    }

    #[test]
    fn lists_are_read_and_written() {
        let set: Keywords = "sha256, uid,type".parse().unwrap();
        assert_eq!(set.to_string(), "type,uid,sha256digest");
        assert!("all".parse::<Keywords>().unwrap().contains(Keyword::Md5));
        assert_eq!("colour".parse::<Keywords>(), Err(NotAKeyword("colour".into())));
    }
}
