//! The BEGIN record: the snapshot that a stream makes, the one it needs, and their names.

use super::fault::Problem;
use super::features::Features;
use super::nvlist::{Encoding, List};
use super::order::ByteOrder;

const MAGIC: [u8; 8] = 0x0000_0002_F5BA_CBAC_u64.to_le_bytes();
const NAME: std::ops::Range<usize> = 56..312;
/// Longest nvlist of a plain stream that is read. Real ones are below 2 KiB unless redacted.
const PLAIN_NVLIST: u32 = 1 << 20;
/// Longest nvlist of a package header. Senders have the same limit.
const PACKAGE_NVLIST: u32 = 64 << 20;

/// The contents of a BEGIN record.
#[derive(Debug, Clone, PartialEq)]
pub struct Begin {
    /// Offset of the record in the stream.
    pub offset: u64,
    /// The sender's byte order.
    pub order: ByteOrder,
    /// True for the header of a package.
    pub package: bool,
    /// Header type and feature flags in one word.
    pub versioninfo: u64,
    /// Feature flags.
    pub features: Features,
    /// Creation of the snapshot on the sending side, seconds since 1970.
    pub creation_time: u64,
    /// The type of the dataset.
    pub objset: ObjsetType,
    /// Flags of the data.
    pub flags: BeginFlags,
    /// Guid of the snapshot that the stream makes.
    pub to_guid: u64,
    /// Guid of the snapshot that it needs; 0 for a full stream.
    pub from_guid: u64,
    /// Name of the snapshot on the sending side.
    pub to_name: ToName,
    /// Length of the nvlist after the record, in bytes.
    pub nvlist_len: u32,
    /// The nvlist; `None` if there is none or it is too long to be read.
    pub nvlist: Option<List>,
    /// The encoding of the nvlist.
    pub nvlist_encoding: Option<Encoding>,
}

/// The type of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjsetType {
    /// In package headers.
    None,
    /// A file system.
    Filesystem,
    /// A volume.
    Volume,
}

impl ObjsetType {
    /// The name in ZFS's own tools.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Filesystem => "zfs",
            Self::Volume => "zvol",
        }
    }
}

/// Flags of BEGIN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BeginFlags(u32);

impl BeginFlags {
    const NAMES: [(u32, &str); 4] =
        [(1, "clone"), (2, "ci_data"), (4, "freerecords"), (8, "spill_block")];

    /// The base is a snapshot of another dataset, and the stream makes a new dataset.
    pub fn is_clone(self) -> bool {
        self.0 & 1 != 0
    }

    /// OBJECT records say whether the object has a spill block.
    pub(super) fn has_spill_blocks(self) -> bool {
        self.0 & 8 != 0
    }

    /// Names of the flags that are set.
    pub fn names(self) -> Vec<&'static str> {
        let set = |(flag, _): &&(u32, &str)| self.0 & flag != 0;
        Self::NAMES.iter().filter(set).map(|(_, name)| *name).collect()
    }
}

/// `dataset@snapshot` on the sending side, restricted to the characters that ZFS allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToName {
    name: String,
    at: usize,
}

impl ToName {
    /// The dataset's name.
    pub fn dataset(&self) -> &str {
        &self.name[..self.at]
    }

    /// The snapshot's name, without the dataset's.
    pub fn snapshot(&self) -> &str {
        &self.name[self.at + 1..]
    }

    /// The full name, `dataset@snapshot`.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    fn parse(field: &[u8]) -> Result<Self, Problem> {
        let len = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        let (name, fill) = field.split_at(len);
        let shown = || Problem::Name(String::from_utf8_lossy(name).into_owned());
        let name = std::str::from_utf8(name).map_err(|_| shown())?;
        let at = name.find('@').ok_or_else(shown)?;
        let this = Self { name: name.to_owned(), at };
        let legal = |part: &str| !part.is_empty() && part.bytes().all(is_legal);
        let whole = !fill.is_empty() && fill.iter().all(|byte| *byte == 0);
        if whole && legal(this.snapshot()) && this.dataset().split('/').all(legal) {
            Ok(this)
        } else {
            Err(shown())
        }
    }
}

fn is_legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.: ".contains(&byte)
}

impl std::fmt::Display for ToName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Begin {
    /// The byte order, from the magic number of a BEGIN record.
    pub(super) fn byte_order(header: &[u8]) -> Result<ByteOrder, Problem> {
        let magic: [u8; 8] = header[8..16].try_into().expect("eight bytes were cut");
        let order = match magic {
            MAGIC => ByteOrder::Little,
            _ if magic.iter().rev().eq(MAGIC.iter()) => ByteOrder::Big,
            _ => return Err(Problem::NotAStream),
        };
        match order.u32(header, 0) {
            0 => Ok(order),
            _ => Err(Problem::NotAStream),
        }
    }

    /// Parses the 312 bytes of `header`. The nvlist follows later.
    pub(super) fn parse(header: &[u8], order: ByteOrder, offset: u64) -> Result<Self, Problem> {
        if Self::byte_order(header) != Ok(order) {
            return Err(Problem::NotAStream);
        }
        let versioninfo = order.u64(header, 16);
        let package = match versioninfo & 3 {
            1 => false,
            2 => true,
            other => return Err(Problem::HeaderType(other)),
        };
        let features = Features::from_versioninfo(versioninfo);
        if let Some(unknown) = features.unknown() {
            return Err(Problem::UnknownFeatures(unknown));
        }
        let begin = Self {
            offset,
            order,
            package,
            versioninfo,
            features,
            creation_time: order.u64(header, 24),
            objset: objset(order.u32(header, 32), package)?,
            flags: BeginFlags(order.u32(header, 36)),
            to_guid: order.u64(header, 40),
            from_guid: order.u64(header, 48),
            to_name: ToName::parse(&header[NAME])?,
            nvlist_len: order.u32(header, 4),
            nvlist: None,
            nvlist_encoding: None,
        };
        begin.check()?;
        Ok(begin)
    }

    fn check(&self) -> Result<(), Problem> {
        let cap = if self.package { PACKAGE_NVLIST } else { PLAIN_NVLIST };
        let out_of_range = |field, value| Problem::Range { record: "BEGIN", field, value };
        if self.nvlist_len > cap {
            return Err(out_of_range("payloadlen", u64::from(self.nvlist_len)));
        }
        if !self.package && self.to_guid == 0 {
            return Err(out_of_range("toguid", 0));
        }
        // A stream whose base is itself, or a clone without a base.
        let needs_base = self.flags.is_clone() && self.from_guid == 0;
        if !self.package && (self.from_guid == self.to_guid || needs_base) {
            return Err(out_of_range("fromguid", self.from_guid));
        }
        // `zfs receive` rejects such a stream, since it would lose the spill blocks of the base.
        if self.features.contains(Features::RAW) && !self.package && !self.flags.has_spill_blocks()
        {
            return Err(out_of_range("flags", u64::from(self.flags.0)));
        }
        if self.package && self.to_guid | self.from_guid != 0 {
            return Err(out_of_range("guid", self.to_guid | self.from_guid));
        }
        Ok(())
    }

    /// True if the nvlist is short enough to be read.
    pub(super) fn reads_nvlist(&self) -> bool {
        self.nvlist_len <= PLAIN_NVLIST
    }
}

fn objset(number: u32, package: bool) -> Result<ObjsetType, Problem> {
    match (number, package) {
        (2, false) => Ok(ObjsetType::Filesystem),
        (3, false) => Ok(ObjsetType::Volume),
        (0, true) => Ok(ObjsetType::None),
        (other, _) => {
            Err(Problem::Range { record: "BEGIN", field: "type", value: u64::from(other) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &[u8]) -> Result<ToName, Problem> {
        let mut field = [0; 256];
        field[..text.len()].copy_from_slice(text);
        ToName::parse(&field)
    }

    #[test]
    fn a_name_has_a_dataset_and_a_snapshot() {
        let name = name(b"tank/home/anna@daily 1").unwrap();
        assert_eq!((name.dataset(), name.snapshot()), ("tank/home/anna", "daily 1"));
    }

    #[test]
    fn hostile_names_are_refused() {
        for text in [
            &b"tank"[..],
            b"@snap",
            b"tank@",
            b"tank@a@b",
            b"tank@a/b",
            b"/tank@a",
            b"tank//x@a",
            b"tank/@a",
            b"tank/%recv@a",
            b"tank#mark@a",
            b"tank\n@a",
            b"tank\0x@a",
            b"t\xffnk@a",
        ] {
            assert!(matches!(name(text), Err(Problem::Name(_))), "{text:?}");
        }
        assert!(ToName::parse(&[b'a'; 256]).is_err(), "no end");
    }
}
