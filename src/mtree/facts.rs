//! The facts about an object: stated by a manifest, or found in a tree.

use super::digest::Digests;
use super::keyword::{Keyword, Keywords};
use std::sync::Arc;

/// Types of objects.
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
    /// A Solaris door.
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

    /// The name in mtree.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|row| row.0 == self).expect("the table has every kind").1
    }

    /// The type with this name in mtree.
    pub fn of_name(name: &[u8]) -> Option<Self> {
        Self::NAMES.iter().find(|row| row.1.as_bytes() == name).map(|row| row.0)
    }

    /// True for devices, which have a device number.
    pub fn is_device(self) -> bool {
        matches!(self, Self::Char | Self::Block)
    }
}

/// A point in time: seconds since 1970, possibly negative, plus nanoseconds.
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

/// A device number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Device {
    /// Number of the driver.
    pub major: u32,
    /// Number of the driver's device.
    pub minor: u32,
}

/// An extended attribute.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Xattr {
    /// With its namespace, such as `user.comment`.
    pub name: Box<[u8]>,
    /// Any bytes.
    pub value: Box<[u8]>,
}

impl Xattr {
    /// True if it contains a POSIX access control list.
    pub fn is_acl(&self) -> bool {
        self.name.starts_with(b"system.posix_acl_")
    }
}

/// The facts about one object. `None` or empty means unknown.
///
/// There may be millions of these in memory, one per object. So facts that few objects have are
/// stored separately, behind one pointer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Its type.
    pub kind: Option<Kind>,
    /// The lower twelve bits of the mode.
    pub mode: Option<u16>,
    /// User id of the owner.
    pub uid: Option<u32>,
    /// Group id.
    pub gid: Option<u32>,
    /// Link count.
    pub nlink: Option<u32>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Modification time.
    pub time: Option<Timestamp>,
    /// The time is in whole seconds, from go-mtree's `tar_time`.
    pub whole_seconds: bool,
    /// The object may be missing.
    pub optional: bool,
    /// Do not compare what is below this directory.
    pub ignore: bool,
    /// The object must exist, but its properties are not compared.
    pub nochange: bool,
    /// Digests of its content.
    pub digests: Digests,
    pub(super) rare: Option<Box<Rare>>,
}

/// Facts that few objects have, or few manifests state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rare {
    /// Target of a symbolic link.
    pub link: Option<Box<[u8]>>,
    /// Name of the owner. Shared, because a tree has few owners.
    pub uname: Option<Arc<[u8]>>,
    /// Name of the group.
    pub gname: Option<Arc<[u8]>>,
    /// BSD file flags.
    pub flags: Option<Arc<[u8]>>,
    /// Tags, used by NetBSD's build.
    pub tags: Option<Arc<[u8]>>,
    /// The device number of a device file.
    pub device: Option<Device>,
    /// Inode number.
    pub inode: Option<u64>,
    /// The device that contains the object.
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
    /// The rare facts.
    pub fn rare(&self) -> &Rare {
        self.rare.as_deref().unwrap_or(&NOTHING_RARE)
    }

    /// The rare facts, mutable.
    pub fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// The keywords of these facts.
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

    /// Removes the fact of one keyword.
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
        // A manifest must need less than 300 bytes per entry, including names and indexes.
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
