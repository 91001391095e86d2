//! The facts about an object that the headers of its member state.

use super::field::{as_gnu, number};
use super::member::Member;
use super::pax;
use crate::mtree::facts::{Device, Facts, Kind, Timestamp, Xattr};
use crate::mtree::keyword::{Keyword, Keywords};

/// Prefix of the records that hold extended attributes.
const XATTR: &[u8] = b"SCHILY.xattr.";

impl Member {
    /// The facts about the object, except its content. A field without a valid number is ignored.
    pub(super) fn facts(&self, kind: Kind, keywords: Keywords) -> Facts {
        let known = |keyword| keywords.contains(keyword);
        let mut facts = Facts { kind: Some(kind), ..Facts::default() };
        let fields = self.header.as_old();
        let mode = number(&fields.mode).map(|mode| (mode & 0o7777) as u16);
        facts.mode = mode.filter(|_| known(Keyword::Mode));
        let either = |key, field: [u8; 8]| {
            self.pax.number(key).or_else(|| u32::try_from(number(&field)?).ok())
        };
        facts.uid = either("uid", fields.uid).filter(|_| known(Keyword::Uid));
        facts.gid = either("gid", fields.gid).filter(|_| known(Keyword::Gid));
        if known(Keyword::Time) || known(Keyword::TarTime) {
            facts.time = self.time();
            facts.whole_seconds = !known(Keyword::Time);
        }
        if known(Keyword::Device) && kind.is_device() {
            let header = as_gnu(&self.header);
            let gnu = header.as_gnu().expect("its magic was just written");
            let major = either("SCHILY.devmajor", gnu.dev_major);
            let minor = either("SCHILY.devminor", gnu.dev_minor);
            let device = major.zip(minor).map(|(major, minor)| Device { major, minor });
            facts.rare_mut().device = device;
        }
        if known(Keyword::Link) && kind == Kind::Link {
            facts.rare_mut().link = Some(self.target.as_slice().into());
        }
        if known(Keyword::Uname) {
            facts.rare_mut().uname = self.name("uname", self.header.username_bytes());
        }
        if known(Keyword::Gname) {
            facts.rare_mut().gname = self.name("gname", self.header.groupname_bytes());
        }
        if known(Keyword::Xattr) {
            self.xattrs(&mut facts);
        }
        facts
    }

    fn time(&self) -> Option<Timestamp> {
        let exact = self.pax.find("mtime").and_then(pax::time);
        let whole =
            || Some(Timestamp { seconds: number(&self.header.as_old().mtime)?, nanoseconds: 0 });
        exact.or_else(whole)
    }

    fn name<N: for<'a> From<&'a [u8]>>(&self, key: &str, field: Option<&[u8]>) -> Option<N> {
        let name = self.pax.find(key).or(field)?;
        (!name.is_empty()).then(|| name.into())
    }

    fn xattrs(&self, facts: &mut Facts) {
        let mut xattrs: Vec<Xattr> = Vec::new();
        for record in self.pax.iter() {
            if let Some(name) = record.key.strip_prefix(XATTR) {
                let value = record.value.clone();
                xattrs.retain(|one| *one.name != *name);
                xattrs.push(Xattr { name: name.into(), value });
            }
        }
        if !xattrs.is_empty() {
            xattrs.sort_unstable();
            facts.rare_mut().xattrs = xattrs;
        }
    }
}
