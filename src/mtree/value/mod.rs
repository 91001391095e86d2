//! The values of keywords as text: `0644`, `1610421833.500000000`, `linux,1,3`.

mod device;
mod error;
mod mode;
mod number;
mod time;
mod xattr;

pub use error::ValueError;
pub use mode::Mode;
pub(super) use xattr::{read_xattr, write_xattr};

use super::digest::{Algorithm, push_hex, unhex};
use super::escape::{escape, unescape};
use super::facts::{Facts, Kind, Rare};
use super::keyword::Keyword;
use device::device;
use mode::mode;
use number::{number, push_number};
use std::fmt;
use time::time;

/// The legal values of a keyword, for messages.
pub(super) fn allowed(keyword: Keyword) -> &'static str {
    match keyword {
        Keyword::Type => "file, dir, link, fifo, socket, char, block or door",
        Keyword::Mode => "octal digits up to 7777, or clauses such as u=rw,go=r",
        Keyword::Uid | Keyword::Gid | Keyword::Nlink => "a number up to 4294967295",
        Keyword::Size | Keyword::Inode => "a number up to 18446744073709551615",
        Keyword::Time | Keyword::TarTime => "seconds, or seconds.nanoseconds",
        Keyword::Device | Keyword::Resdevice => "a number, or native,MAJOR,MINOR",
        Keyword::Link => "a path",
        Keyword::Xattr | Keyword::Acl => "xattr.NAME=VALUE, the value in base64",
        Keyword::Uname | Keyword::Gname => "a name",
        Keyword::Cksum => "a number up to 4294967295",
        Keyword::Md5 => "32 hexadecimal digits",
        Keyword::Rmd160 | Keyword::Sha1 => "40 hexadecimal digits",
        Keyword::Sha256 | Keyword::Sha512256 => "64 hexadecimal digits",
        Keyword::Sha384 => "96 hexadecimal digits",
        Keyword::Sha512 => "128 hexadecimal digits",
        Keyword::Flags | Keyword::Tags => "a list with commas",
        Keyword::Content => "a path",
        Keyword::Optional | Keyword::Ignore | Keyword::Nochange => "no value",
    }
}

/// Stores the value of a keyword in `facts`.
///
/// # Errors
/// If the value is not legal for the keyword.
pub(super) fn read(facts: &mut Facts, keyword: Keyword, value: &[u8]) -> Result<(), ValueError> {
    if let Some(algorithm) = keyword.algorithm() {
        let mut bytes = [0; 64];
        let bytes = &mut bytes[..algorithm.length()];
        digest(algorithm, value, bytes)?;
        facts.digests.set(algorithm, bytes);
        return Ok(());
    }
    match keyword {
        Keyword::Type => facts.kind = Some(Kind::of_name(value).ok_or(ValueError::Malformed)?),
        Keyword::Mode => facts.mode = Some(mode(value)?),
        Keyword::Uid => facts.uid = Some(number(value)?),
        Keyword::Gid => facts.gid = Some(number(value)?),
        // In a manifest of an archive, libarchive writes 0, which means unknown.
        Keyword::Nlink => facts.nlink = Some(number(value)?).filter(|nlink| *nlink > 0),
        Keyword::Size => facts.size = Some(number(value)?),
        Keyword::Time | Keyword::TarTime => {
            facts.time = Some(time(value)?);
            facts.whole_seconds = keyword == Keyword::TarTime;
        }
        Keyword::Optional => facts.optional = true,
        Keyword::Ignore => facts.ignore = true,
        Keyword::Nochange => facts.nochange = true,
        Keyword::Link => {
            let target = unescape(value).map_err(|_| ValueError::Malformed)?;
            let possible = !target.is_empty() && !target.contains(&0);
            facts.rare_mut().link =
                Some(possible.then_some(target.into()).ok_or(ValueError::Malformed)?);
        }
        Keyword::Device => facts.rare_mut().device = Some(device(value)?),
        Keyword::Resdevice => facts.rare_mut().resdevice = Some(device(value)?),
        Keyword::Inode => facts.rare_mut().inode = Some(number(value)?),
        // Names and flags are handled by the reader, which shares them.
        _ => {}
    }
    Ok(())
}

/// Decodes a digest into `bytes`, which has its length.
fn digest(algorithm: Algorithm, value: &[u8], bytes: &mut [u8]) -> Result<(), ValueError> {
    if algorithm == Algorithm::Cksum {
        bytes.copy_from_slice(&number::<u32>(value)?.to_be_bytes());
        return Ok(());
    }
    let digits = value.strip_prefix(b"0x").unwrap_or(value);
    unhex(digits, bytes).ok_or(ValueError::Malformed)
}

/// Appends the value of `keyword` to `text`; `None` if the facts have none.
pub(super) fn write(facts: &Facts, keyword: Keyword, text: &mut Vec<u8>) -> Option<()> {
    if let Some(algorithm) = keyword.algorithm() {
        let value = facts.digests.find(algorithm)?;
        match (algorithm, value.first_chunk()) {
            (Algorithm::Cksum, Some(sum)) => push_number(u32::from_be_bytes(*sum).into(), text),
            _ => push_hex(value, text),
        }
        return Some(());
    }
    match keyword {
        Keyword::Type => text.extend_from_slice(facts.kind?.name().as_bytes()),
        Keyword::Uid => push_number(facts.uid?.into(), text),
        Keyword::Gid => push_number(facts.gid?.into(), text),
        Keyword::Nlink => push_number(facts.nlink?.into(), text),
        Keyword::Size => push_number(facts.size?, text),
        Keyword::Mode => push(Mode(facts.mode?), text),
        Keyword::Time | Keyword::TarTime => push(facts.time?, text),
        rare => return write_rare(facts.rare(), rare, text),
    }
    Some(())
}

fn write_rare(rare: &Rare, keyword: Keyword, text: &mut Vec<u8>) -> Option<()> {
    match keyword {
        Keyword::Link => escape(rare.link.as_ref()?, text),
        Keyword::Uname => escape(rare.uname.as_ref()?, text),
        Keyword::Gname => escape(rare.gname.as_ref()?, text),
        Keyword::Flags => escape(rare.flags.as_ref()?, text),
        Keyword::Tags => escape(rare.tags.as_ref()?, text),
        Keyword::Device => push(rare.device?, text),
        Keyword::Resdevice => push(rare.resdevice?, text),
        Keyword::Inode => push_number(rare.inode?, text),
        _ => return None,
    }
    Some(())
}

fn push(value: impl fmt::Display, text: &mut Vec<u8>) {
    use std::io::Write;
    write!(text, "{value}").expect("memory takes what is written");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_either_case_and_of_the_right_length() {
        let check = |text: &[u8], want| {
            let mut bytes = [0; 16];
            let read = digest(Algorithm::Md5, text, &mut bytes);
            assert_eq!(read.map(|()| bytes), want);
        };
        check("ab".repeat(16).as_bytes(), Ok([0xAB; 16]));
        check(format!("0x{}", "AB".repeat(16)).as_bytes(), Ok([0xAB; 16]));
        check("ab".repeat(15).as_bytes(), Err(ValueError::Malformed));
    }
}
