//! Feature flags of a stream: bits 2 to 57 of `versioninfo`.

/// The features that a receiver must support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features(u64);

/// The known flags by their bits.
const NAMES: [(u32, &str); 16] = [
    (0, "dedup"),
    (1, "dedupprops"),
    (2, "sa_spill"),
    (16, "embed_data"),
    (17, "lz4"),
    (19, "large_blocks"),
    (20, "resuming"),
    (21, "redacted"),
    (22, "compressed"),
    (23, "large_dnode"),
    (24, "raw"),
    (25, "zstd"),
    (26, "holds"),
    (27, "switch_to_large_blocks"),
    (28, "longname"),
    (29, "large_microzap"),
];

impl Features {
    /// Deduplicated. Only old `zfs` versions send or receive it.
    pub const DEDUP: Self = Self(1);
    /// Embedded data.
    pub const EMBEDDED: Self = Self(1 << 16);
    /// Blocks over 128 KiB.
    pub const LARGE_BLOCKS: Self = Self(1 << 19);
    /// Continues the partial state of an interrupted receive.
    pub const RESUMING: Self = Self(1 << 20);
    /// Redacted: parts are left out on purpose.
    pub const REDACTED: Self = Self(1 << 21);
    /// Compressed writes.
    pub const COMPRESSED: Self = Self(1 << 22);
    /// Blocks encrypted as on disk.
    pub const RAW: Self = Self(1 << 24);

    /// The flags in a `versioninfo`, without the header type.
    pub(super) fn from_versioninfo(versioninfo: u64) -> Self {
        Self(versioninfo >> 2)
    }

    /// Whether every flag of `other` is set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The unknown flags that are set.
    pub fn unknown(self) -> Option<u64> {
        let known = NAMES.iter().fold(0, |known, (bit, _)| known | 1 << bit);
        Some(self.0 & !known).filter(|unknown| *unknown != 0)
    }

    /// Names of the known flags that are set.
    pub fn names(self) -> Vec<&'static str> {
        let set = |(bit, _): &&(u32, &str)| self.0 & (1 << bit) != 0;
        NAMES.iter().filter(set).map(|(_, name)| *name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_names_and_reserved_bits_have_none() {
        let features = Features::from_versioninfo((1 << 2 | 1 << 24) << 2 | 1);
        assert_eq!(features.names(), ["sa_spill", "raw"]);
        assert_eq!(features.unknown(), None);
        assert!(features.contains(Features::RAW));
        assert_eq!(Features::from_versioninfo(1 << 42).unknown(), Some(1 << 40));
        assert_eq!(Features::from_versioninfo(1 << 63).unknown(), Some(1 << 61));
    }
}
