//! The keywords of mtree: a table of names and aliases, and sets of keywords.

use super::digest::Algorithm;
use std::fmt;
use std::str::FromStr;

/// A property that a manifest can state.
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

/// All keywords in the order in which they are written, with the names that packmule writes.
const TABLE: &[(Keyword, &str)] = &[
    (Keyword::Type, "type"),
    (Keyword::Uid, "uid"),
    (Keyword::Uname, "uname"),
    (Keyword::Gid, "gid"),
    (Keyword::Gname, "gname"),
    (Keyword::Mode, "mode"),
    (Keyword::Nlink, "nlink"),
    (Keyword::Device, "device"),
    // The link comes early, so that no line ends in a backslash of its target: old FreeBSD and
    // go-mtree would take that for a continuation.
    (Keyword::Link, "link"),
    (Keyword::Size, "size"),
    (Keyword::Time, "time"),
    (Keyword::TarTime, "tar_time"),
    (Keyword::Cksum, "cksum"),
    (Keyword::Md5, "md5digest"),
    (Keyword::Rmd160, "rmd160digest"),
    (Keyword::Sha1, "sha1digest"),
    (Keyword::Sha256, "sha256digest"),
    (Keyword::Sha384, "sha384digest"),
    (Keyword::Sha512, "sha512digest"),
    (Keyword::Sha512256, "sha512256digest"),
    (Keyword::Flags, "flags"),
    (Keyword::Inode, "inode"),
    (Keyword::Resdevice, "resdevice"),
    (Keyword::Tags, "tags"),
    (Keyword::Content, "contents"),
    (Keyword::Optional, "optional"),
    (Keyword::Ignore, "ignore"),
    (Keyword::Nochange, "nochange"),
    (Keyword::Xattr, "xattr"),
    (Keyword::Acl, "acl"),
];

impl Keyword {
    /// The name that packmule writes: the spelling that most tools read.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// The keyword with this name in any tool.
    pub fn of_name(name: &[u8]) -> Option<Self> {
        // A match and not a search of the table: a manifest may have millions of lines of ten
        // keywords.
        Some(match name {
            b"type" => Self::Type,
            b"uid" => Self::Uid,
            b"uname" => Self::Uname,
            b"gid" => Self::Gid,
            b"gname" => Self::Gname,
            b"mode" => Self::Mode,
            b"nlink" => Self::Nlink,
            b"device" => Self::Device,
            b"link" => Self::Link,
            b"size" => Self::Size,
            b"time" => Self::Time,
            b"tar_time" => Self::TarTime,
            b"cksum" => Self::Cksum,
            b"md5digest" | b"md5" => Self::Md5,
            b"rmd160digest" | b"rmd160" | b"ripemd160digest" => Self::Rmd160,
            b"sha1digest" | b"sha1" => Self::Sha1,
            b"sha256digest" | b"sha256" => Self::Sha256,
            b"sha384digest" | b"sha384" => Self::Sha384,
            b"sha512digest" | b"sha512" => Self::Sha512,
            b"sha512256digest" | b"sha512256" => Self::Sha512256,
            b"flags" => Self::Flags,
            b"inode" => Self::Inode,
            b"resdevice" => Self::Resdevice,
            b"tags" => Self::Tags,
            b"contents" | b"content" => Self::Content,
            b"optional" => Self::Optional,
            b"ignore" => Self::Ignore,
            b"nochange" => Self::Nochange,
            b"xattr" | b"xattrs" => Self::Xattr,
            b"acl" => Self::Acl,
            _ => return None,
        })
    }

    /// The digest algorithm, if the keyword is a digest.
    pub fn algorithm(self) -> Option<Algorithm> {
        Some(match self {
            Self::Cksum => Algorithm::Cksum,
            Self::Md5 => Algorithm::Md5,
            Self::Rmd160 => Algorithm::Rmd160,
            Self::Sha1 => Algorithm::Sha1,
            Self::Sha256 => Algorithm::Sha256,
            Self::Sha384 => Algorithm::Sha384,
            Self::Sha512 => Algorithm::Sha512,
            Self::Sha512256 => Algorithm::Sha512256,
            _ => return None,
        })
    }

    /// True if the keyword has no value.
    pub fn is_bare(self) -> bool {
        matches!(self, Self::Optional | Self::Ignore | Self::Nochange)
    }

    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

impl Algorithm {
    /// The keyword for this digest.
    pub fn keyword(self) -> Keyword {
        match self {
            Self::Cksum => Keyword::Cksum,
            Self::Md5 => Keyword::Md5,
            Self::Rmd160 => Keyword::Rmd160,
            Self::Sha1 => Keyword::Sha1,
            Self::Sha256 => Keyword::Sha256,
            Self::Sha384 => Keyword::Sha384,
            Self::Sha512 => Keyword::Sha512,
            Self::Sha512256 => Keyword::Sha512256,
        }
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
    /// The empty set.
    pub const NONE: Self = Self(0);

    /// The default: keywords that every tool reads, and SHA-256 of the content.
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

    /// `all`: what is known of an object and means the same on another host.
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

    /// True if the set contains `keyword`.
    pub fn contains(self, keyword: Keyword) -> bool {
        self.0 & keyword.bit() != 0
    }

    /// The set plus `keyword`.
    #[must_use]
    pub const fn with(self, keyword: Keyword) -> Self {
        Self(self.0 | keyword.bit())
    }

    /// The set, plus `keyword` if `is` is true.
    #[must_use]
    pub(super) const fn with_if(self, keyword: Keyword, is: bool) -> Self {
        Self(self.0 | (is as u32) << keyword as u8)
    }

    /// Adds `keyword`.
    pub fn add(&mut self, keyword: Keyword) {
        self.0 |= keyword.bit();
    }

    /// The keywords in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The keywords in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The keywords in this set that are not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// True if the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The keywords in the order in which they are written.
    pub fn iter(self) -> impl Iterator<Item = Keyword> {
        let mut bits = self.0;
        std::iter::from_fn(move || {
            let lowest = bits.trailing_zeros() as usize;
            bits &= bits.wrapping_sub(1);
            TABLE.get(lowest).map(|row| row.0)
        })
    }

    /// The subset that no object of this system has, so that packmule never writes it. Such
    /// keywords only come from other manifests.
    #[must_use]
    pub fn unknowable(self) -> Self {
        use Keyword::{Content, Flags, Ignore, Nochange, Optional, Tags};
        self.intersection([Flags, Tags, Content, Optional, Ignore, Nochange].into_iter().collect())
    }

    /// The digest algorithms in the set.
    pub fn algorithms(self) -> impl Iterator<Item = Algorithm> {
        self.iter().filter_map(Keyword::algorithm)
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

/// An unknown keyword.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not a keyword of mtree")]
pub struct NotAKeyword(String);

/// Parses a list such as `uid,gid,sha256` or `all`, separated by commas, blanks or both.
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
    fn the_table_is_in_the_order_of_the_enum_and_its_names_are_read() {
        for (nth, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, nth);
            assert_eq!(Keyword::of_name(row.1.as_bytes()), Some(row.0));
        }
        let algorithms: Vec<_> = TABLE.iter().filter_map(|row| row.0.algorithm()).collect();
        assert_eq!(algorithms, Algorithm::ALL);
        assert!(algorithms.iter().all(|one| one.keyword().algorithm() == Some(*one)));
        let every: Keywords = TABLE.iter().map(|row| row.0).collect();
        assert!(every.iter().eq(TABLE.iter().map(|row| row.0)));
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
