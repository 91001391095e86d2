//! What is known of one object: what a manifest says of it, or what was found.

use super::digest::Digests;
use super::keyword::{Keyword, Keywords};
use std::sync::Arc;

/// What an object is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character device.
    Char,
    /// A block device.
    Block,
    /// A door of Solaris.
    Door,
}

impl Kind {
    const NAMES: [(Self, &'static str); 8] = [
        (Self::File, "file"),
        (Self::Dir, "dir"),
        (Self::Link, "link"),
        (Self::Fifo, "fifo"),
        (Self::Socket, "socket"),
        (Self::Char, "char"),
        (Self::Block, "block"),
        (Self::Door, "door"),
    ];

    /// The name mtree has for it.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|row| row.0 == self).expect("the table has every kind").1
    }

    /// The kind mtree calls so.
    pub fn of_name(name: &[u8]) -> Option<Self> {
        Self::NAMES.iter().find(|row| row.1.as_bytes() == name).map(|row| row.0)
    }

    /// Whether it is a device, which has a number.
    pub fn is_device(self) -> bool {
        matches!(self, Self::Char | Self::Block)
    }
}

/// A moment: seconds since 1970, possibly negative, and nanoseconds that always count forwards.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Timestamp {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
}

impl Timestamp {
    /// Nanoseconds since 1970.
    pub fn as_nanoseconds(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds)
    }
}

/// Number of a device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Device {
    /// Which driver.
    pub major: u32,
    /// Which of its devices.
    pub minor: u32,
}

/// An extended attribute.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Xattr {
    /// With its name space, as in `user.comment`.
    pub name: Box<[u8]>,
    /// Any bytes.
    pub value: Box<[u8]>,
}

impl Xattr {
    /// Whether it holds a POSIX access control list.
    pub fn is_acl(&self) -> bool {
        self.name.starts_with(b"system.posix_acl_")
    }
}

/// What is known of one object. What is `None` or empty is not known.
///
/// There is one of these for each object of a tree, of which there may be millions: what most
/// objects do not have is kept apart, behind one pointer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// What it is.
    pub kind: Option<Kind>,
    /// Permissions: twelve bits.
    pub mode: Option<u16>,
    /// Number of the owner.
    pub uid: Option<u32>,
    /// Number of the group.
    pub gid: Option<u32>,
    /// Names it has.
    pub nlink: Option<u32>,
    /// Bytes.
    pub size: Option<u64>,
    /// When its content was last changed.
    pub time: Option<Timestamp>,
    /// The time is one of go-mtree's `tar_time`, which knows whole seconds only.
    pub whole_seconds: bool,
    /// May be absent.
    pub optional: bool,
    /// What is below this directory does not matter.
    pub ignore: bool,
    /// Must be there; what it is like does not matter.
    pub nochange: bool,
    /// Digests of its content.
    pub digests: Digests,
    pub(super) rare: Option<Box<Rare>>,
}

/// What few objects have, or few manifests say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rare {
    /// Where a symbolic link points.
    pub link: Option<Box<[u8]>>,
    /// Name of the owner. Shared: a tree has few owners.
    pub uname: Option<Arc<[u8]>>,
    /// Name of the group.
    pub gname: Option<Arc<[u8]>>,
    /// File flags of BSD.
    pub flags: Option<Arc<[u8]>>,
    /// Tags, as NetBSD's build uses them.
    pub tags: Option<Arc<[u8]>>,
    /// Which device it is.
    pub device: Option<Device>,
    /// Number of its inode.
    pub inode: Option<u64>,
    /// The device it lies on.
    pub resdevice: Option<Device>,
    /// Extended attributes, sorted by name.
    pub xattrs: Vec<Xattr>,
}

static NOTHING_RARE: Rare = Rare {
    link: None,
    uname: None,
    gname: None,
    flags: None,
    tags: None,
    device: None,
    inode: None,
    resdevice: None,
    xattrs: Vec::new(),
};

impl Rare {
    fn keywords(&self) -> Keywords {
        Keywords::NONE
            .with_if(Keyword::Link, self.link.is_some())
            .with_if(Keyword::Uname, self.uname.is_some())
            .with_if(Keyword::Gname, self.gname.is_some())
            .with_if(Keyword::Flags, self.flags.is_some())
            .with_if(Keyword::Tags, self.tags.is_some())
            .with_if(Keyword::Device, self.device.is_some())
            .with_if(Keyword::Inode, self.inode.is_some())
            .with_if(Keyword::Resdevice, self.resdevice.is_some())
            .with_if(Keyword::Xattr, !self.xattrs.is_empty())
    }
}

impl Facts {
    /// What few objects have.
    pub fn rare(&self) -> &Rare {
        self.rare.as_deref().unwrap_or(&NOTHING_RARE)
    }

    /// What few objects have, to be changed.
    pub fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// The keywords that these facts would be written with.
    pub fn keywords(&self) -> Keywords {
        let common = Keywords::NONE
            .with_if(Keyword::Type, self.kind.is_some())
            .with_if(Keyword::Mode, self.mode.is_some())
            .with_if(Keyword::Uid, self.uid.is_some())
            .with_if(Keyword::Gid, self.gid.is_some())
            .with_if(Keyword::Nlink, self.nlink.is_some())
            .with_if(Keyword::Size, self.size.is_some())
            .with_if(Keyword::Time, self.time.is_some() && !self.whole_seconds)
            .with_if(Keyword::TarTime, self.time.is_some() && self.whole_seconds)
            .with_if(Keyword::Optional, self.optional)
            .with_if(Keyword::Ignore, self.ignore)
            .with_if(Keyword::Nochange, self.nochange)
            .union(self.digests.iter().map(|(algorithm, _)| algorithm.keyword()).collect());
        self.rare.as_ref().map_or(common, |rare| common.union(rare.keywords()))
    }

    /// Forgets one keyword.
    pub fn forget(&mut self, keyword: Keyword) {
        match keyword {
            Keyword::Type => self.kind = None,
            Keyword::Mode => self.mode = None,
            Keyword::Uid => self.uid = None,
            Keyword::Gid => self.gid = None,
            Keyword::Nlink => self.nlink = None,
            Keyword::Size => self.size = None,
            Keyword::Time | Keyword::TarTime => self.time = None,
            Keyword::Optional => self.optional = false,
            Keyword::Ignore => self.ignore = false,
            Keyword::Nochange => self.nochange = false,
            Keyword::Content => {}
            rare => self.forget_rare(rare),
        }
    }

    fn forget_rare(&mut self, keyword: Keyword) {
        if let Some(algorithm) = keyword.algorithm() {
            self.digests.remove(algorithm);
        }
        let Some(rare) = &mut self.rare else { return };
        match keyword {
            Keyword::Link => rare.link = None,
            Keyword::Uname => rare.uname = None,
            Keyword::Gname => rare.gname = None,
            Keyword::Flags => rare.flags = None,
            Keyword::Tags => rare.tags = None,
            Keyword::Device => rare.device = None,
            Keyword::Inode => rare.inode = None,
            Keyword::Resdevice => rare.resdevice = None,
            Keyword::Xattr => rare.xattrs.clear(),
            Keyword::Acl => rare.xattrs.retain(|xattr| !xattr.is_acl()),
            _ => {}
        }
        if **rare == NOTHING_RARE {
            self.rare = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtree::digest::Algorithm;

    #[test]
    fn facts_are_small() {
        // Issue: memory under 300 bytes an entry, names and indexes included.
        assert!(size_of::<Facts>() <= 112, "{}", size_of::<Facts>());
    }

    #[test]
    fn what_is_forgotten_is_not_known() {
        let mut facts = Facts { mode: Some(0o644), ..Facts::default() };
        facts.rare_mut().link = Some(Box::from(&b"x"[..]));
        facts.digests.set(Algorithm::Md5, &[0; 16]);
        let known = facts.keywords();
        assert_eq!(known.to_string(), "mode,link,md5digest");
        for keyword in known.iter() {
            facts.forget(keyword);
        }
        assert_eq!(facts, Facts::default());
    }
}
