//! Reads a tar header, and the headers before a packet's own that describe it.

use super::entry::{RECORD, USTAR_LIMIT};
use tar::EntryType;

/// Size of a header in bytes.
pub(super) const LEN: usize = RECORD as usize;
/// Maximal size of an extended header or a long name. Those of a packet have about 200 bytes.
pub(super) const EXTENDED_MAX: u64 = 64 * 1024;
/// Prefix of the names of headers that GNU tar and Python write before an entry.
pub(super) const BEFORE: &[u8] = b"././@";

/// The fields of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) kind: Kind,
    /// Size of the content after it, in bytes.
    pub(super) size: u64,
    /// Its name, including the prefix field.
    pub(super) name: Vec<u8>,
}

/// The kind of content after a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File,
    /// Pax records about the next entry.
    Extended,
    /// The name of the next entry.
    LongName,
    /// Content that is irrelevant for a packet: global pax records, the target of a link.
    Other,
}

/// True for a POSIX or GNU header: it has the magic `ustar` and a correct checksum.
pub(super) fn is_one(block: &[u8; LEN]) -> bool {
    if block[257..262] != *b"ustar" {
        return false;
    }
    let header = tar::Header::from_byte_slice(block);
    let mut summed = header.clone();
    summed.set_cksum();
    matches!((header.cksum(), summed.cksum()), (Ok(described), Ok(sum)) if described == sum)
}

/// Reads a header; `None` if it is invalid, or cannot lead to a packet.
pub(super) fn parse(block: &[u8; LEN]) -> Option<Step> {
    if !is_one(block) {
        return None;
    }
    let header = tar::Header::from_byte_slice(block);
    let kind = match header.entry_type() {
        EntryType::Directory => Kind::Directory,
        EntryType::Regular | EntryType::Continuous => Kind::File,
        EntryType::XHeader => Kind::Extended,
        EntryType::GNULongName => Kind::LongName,
        EntryType::XGlobalHeader | EntryType::GNULongLink => Kind::Other,
        _ => return None,
    };
    Some(Step { kind, size: header.entry_size().ok()?, name: header.path_bytes().into_owned() })
}

/// The data about an entry from the headers before its own.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) name: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Described {
    /// Reads the content of a header before the entry; `None` if it is invalid.
    pub(super) fn learn(&mut self, kind: Kind, mut content: &[u8]) -> Option<()> {
        match kind {
            Kind::LongName => {
                let end = content.iter().position(|byte| *byte == 0).unwrap_or(content.len());
                self.name = Some(content[..end].to_vec());
            }
            Kind::Extended => {
                while !content.is_empty() {
                    let (key, value, rest) = record(content)?;
                    match key {
                        b"path" => self.name = Some(value.to_vec()),
                        b"size" => self.size = Some(decimal(value)?),
                        // The content of a sparse file is not `size` bytes long.
                        _ if key.starts_with(b"GNU.sparse") => return None,
                        _ => {}
                    }
                    content = rest;
                }
            }
            Kind::Directory | Kind::File | Kind::Other => {}
        }
        Some(())
    }

    /// The entry's size; `own`: the size in its own header. `None` if the headers contradict each
    /// other. If the size does not fit in the own header, that holds 0 or the largest number.
    pub(super) fn size(&self, own: u64) -> Option<u64> {
        match self.size {
            None => Some(own),
            Some(described) if described == own => Some(own),
            Some(described) if described >= USTAR_LIMIT && (own == 0 || own == USTAR_LIMIT - 1) => {
                Some(described)
            }
            Some(_) => None,
        }
    }
}

/// The first record of the form `LENGTH KEY=VALUE\n`: key, value, and the remaining bytes.
fn record(content: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = content.iter().take(8).position(|byte| *byte == b' ')?;
    let len = usize::try_from(decimal(&content[..blank])?).ok()?;
    let (record, rest) = content.split_at_checked(len)?;
    let record = record.get(blank + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], rest))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if !digits.first()?.is_ascii_digit() {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn learn(content: &str) -> Option<Described> {
        let mut described = Described::default();
        described.learn(Kind::Extended, content.as_bytes()).map(|()| described)
    }

    #[test]
    fn pax_records_are_read() {
        let described = learn("12 path=a=b\n11 size=42\n20 comment=whatever\n").unwrap();
        assert_eq!((described.name.as_deref(), described.size), (Some(&b"a=b"[..]), Some(42)));
    }

    #[test]
    fn pax_records_that_make_no_sense_are_refused() {
        for content in [
            "path=a\n",
            "999 path=a\n",
            "11 path=a\n",
            "9 path a\n",
            "x path=a\n",
            "11 size=4x\n",
            "12 size=-42\n",
            "12 size=+42\n",
            "0 \n",
            "1 ",
            "3 \n\n",
            "22 GNU.sparse.major=1\n",
            "25 size=9999999999999999999999\n",
        ] {
            assert_eq!(learn(content), None, "{content:?}");
        }
    }

    #[test]
    fn sizes_that_disagree_are_refused() {
        let check = |described, own, want| {
            assert_eq!(Described { name: None, size: described }.size(own), want);
        };
        check(None, 5, Some(5));
        check(Some(5), 5, Some(5));
        check(Some(5), 6, None);
        check(Some(5), 0, None);
        check(Some(USTAR_LIMIT), 0, Some(USTAR_LIMIT));
        check(Some(USTAR_LIMIT), USTAR_LIMIT - 1, Some(USTAR_LIMIT));
        check(Some(USTAR_LIMIT), 5, None);
        check(Some(USTAR_LIMIT - 1), 0, None);
    }
}
