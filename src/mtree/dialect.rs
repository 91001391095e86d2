//! The dialects of mtree: their keywords and layouts.

use super::keyword::{Keyword, Keywords};
use std::str::FromStr;

/// The tool whose keywords are used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Dialect {
    /// Keywords that every tool reads.
    #[default]
    Portable,
    /// NetBSD's mtree.
    Netbsd,
    /// The mtree of FreeBSD 9 and older.
    Freebsd,
    /// bsdtar and libarchive.
    Libarchive,
    /// go-mtree.
    Gomtree,
}

/// How paths are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Layout {
    /// Each line has the full path: `./a/b`.
    #[default]
    Full,
    /// Each line has a name; `..` leaves a directory.
    Relative,
    /// Full paths at the end of the line. No tool can verify this layout.
    PathLast,
}

/// An unknown name of a dialect or layout.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not one of {1}")]
pub struct NoSuch(String, &'static str);

impl FromStr for Dialect {
    type Err = NoSuch;

    fn from_str(name: &str) -> Result<Self, NoSuch> {
        Ok(match name {
            "portable" => Self::Portable,
            "netbsd" => Self::Netbsd,
            "freebsd" => Self::Freebsd,
            "libarchive" => Self::Libarchive,
            "gomtree" => Self::Gomtree,
            _ => {
                let all = "portable, netbsd, freebsd, libarchive, gomtree";
                return Err(NoSuch(name.to_owned(), all));
            }
        })
    }
}

impl FromStr for Layout {
    type Err = NoSuch;

    fn from_str(name: &str) -> Result<Self, NoSuch> {
        Ok(match name {
            "full" => Self::Full,
            "relative" => Self::Relative,
            "path-last" => Self::PathLast,
            _ => return Err(NoSuch(name.to_owned(), "full, relative, path-last")),
        })
    }
}

impl Dialect {
    /// The layout that suits this dialect's tools best.
    pub fn layout(self) -> Layout {
        match self {
            Self::Freebsd => Layout::Relative,
            _ => Layout::Full,
        }
    }

    /// The dialect's word for a keyword; `None` if its tools read none.
    pub(super) fn word(self, keyword: Keyword) -> Option<&'static str> {
        use Keyword as K;
        let netbsd = self == Self::Netbsd;
        let plain = [K::Inode, K::Resdevice];
        Some(match keyword {
            K::Md5 if netbsd => "md5",
            K::Rmd160 if netbsd => "rmd160",
            K::Sha1 if netbsd => "sha1",
            K::Sha256 if netbsd => "sha256",
            K::Sha384 if netbsd => "sha384",
            K::Sha512 if netbsd => "sha512",
            K::Rmd160 if matches!(self, Self::Freebsd | Self::Gomtree) => "ripemd160digest",
            // Only go-mtree reads this keyword as it is written.
            K::Sha512256 if !matches!(self, Self::Gomtree | Self::Portable) => return None,
            K::Device if matches!(self, Self::Freebsd | Self::Gomtree) => return None,
            K::Tags if matches!(self, Self::Freebsd | Self::Gomtree) => return None,
            K::TarTime if !matches!(self, Self::Gomtree) => "time",
            K::Nochange if matches!(self, Self::Netbsd | Self::Gomtree) => return None,
            K::Optional | K::Ignore if self == Self::Gomtree => return None,
            K::Xattr if !matches!(self, Self::Gomtree | Self::Portable) => return None,
            other if plain.contains(&other) && self != Self::Libarchive => {
                return (self == Self::Portable).then(|| other.name());
            }
            other => other.name(),
        })
    }

    /// The subset of `said` that this dialect cannot express.
    pub fn lost(self, said: Keywords) -> Keywords {
        said.iter().filter(|keyword| self.word(*keyword).is_none()).collect()
    }
}
