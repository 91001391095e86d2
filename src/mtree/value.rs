//! The values of keywords as text: `0644`, `1610421833.500000000`, `linux,1,3`.

use data_encoding::{BASE64, BASE64_NOPAD, Encoding};
use std::fmt;
use std::sync::LazyLock;

use super::digest::{Algorithm, push_hex, unhex};
use super::escape::{escape, escape_attribute, unescape};
use super::facts::{Device, Facts, Kind, Rare, Timestamp, Xattr};
use super::keyword::Keyword;

/// A value that its keyword does not allow.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// A keyword that stands for a value stands alone.
    #[error("it needs a value")]
    Missing,
    /// Not what the keyword is followed by.
    #[error("not a value it can have")]
    Malformed,
    /// A number beyond what any system can mean.
    #[error("out of range")]
    OutOfRange,
}

/// What may follow a keyword.
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

/// How many extended attributes one object may have.
const XATTRS: usize = 4096;

/// Enters what `keyword=value` says into `facts`.
///
/// # Errors
/// A value that the keyword cannot have.
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
        // libarchive writes 0 when it makes a manifest of an archive: it does not know.
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
        // Names and flags are interned by the reader, who calls us for the rest only.
        _ => {}
    }
    Ok(())
}

/// Enters an extended attribute, of which `word` is what follows `xattr.`.
pub(super) fn read_xattr(facts: &mut Facts, word: &[u8]) -> Result<(), ValueError> {
    // Names may hold `=`, values end in up to two of them.
    let body = word.iter().rposition(|byte| *byte != b'=').ok_or(ValueError::Malformed)?;
    let split = match word[..=body].iter().rposition(|byte| *byte == b'=') {
        Some(split) => split,
        // Nothing after the first of the last run: an empty value.
        None if word.len() > body + 1 => body + 1,
        None => return Err(ValueError::Missing),
    };
    let name = unescape(&word[..split]).map_err(|_| ValueError::Malformed)?;
    if name.is_empty() || name.contains(&0) {
        return Err(ValueError::Malformed);
    }
    let value = unbase64(&word[split + 1..]).ok_or(ValueError::Malformed)?;
    let xattrs = &mut facts.rare_mut().xattrs;
    let xattr = Xattr { name: name.into(), value: value.into() };
    match xattrs.binary_search_by(|one| one.name.cmp(&xattr.name)) {
        Ok(place) => xattrs[place] = xattr,
        Err(_) if xattrs.len() >= XATTRS => return Err(ValueError::OutOfRange),
        Err(place) => xattrs.insert(place, xattr),
    }
    Ok(())
}

/// Appends the value of `keyword` to `text`, if the facts have one.
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

/// Appends a number in decimal. There are several in each line.
fn push_number(mut number: u64, text: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break text.extend_from_slice(&digits[start..]);
        }
    }
}

/// Appends `xattr.NAME=VALUE`, go-mtree's form.
pub(super) fn write_xattr(xattr: &Xattr, text: &mut Vec<u8>) {
    text.extend_from_slice(b"xattr.");
    escape_attribute(&xattr.name, text);
    text.push(b'=');
    text.extend_from_slice(BASE64.encode(&xattr.value).as_bytes());
}

/// Permissions in octal, as C's `%#o` does it: other tools compare text.
pub struct Mode(pub u16);

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0"),
            mode => write!(f, "0{mode:o}"),
        }
    }
}

/// Nine digits always: then the reading as an integer and as a fraction agree.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.seconds, self.nanoseconds)
    }
}

/// In the form of Linux, where both numbers are bytes for NetBSD's mtree; it reads larger ones as
/// those of the system it was built for.
impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = if self.major < 256 && self.minor < 256 { "linux" } else { "native" };
        write!(f, "{format},{},{}", self.major, self.minor)
    }
}

fn number<N: TryFrom<u64>>(value: &[u8]) -> Result<N, ValueError> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(ValueError::Malformed);
    }
    let mut number = 0_u64;
    for digit in value {
        let more = number.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit - b'0')));
        number = more.ok_or(ValueError::OutOfRange)?;
    }
    N::try_from(number).map_err(|_| ValueError::OutOfRange)
}

/// The part after the dot is a count of nanoseconds, not a fraction: `1.5` is 5 ns after 1 s.
fn time(value: &[u8]) -> Result<Timestamp, ValueError> {
    let (negative, value) = match value {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, value),
    };
    let mut parts = value.splitn(2, |byte| *byte == b'.');
    let seconds: u64 = number(parts.next().unwrap_or_default())?;
    let nanoseconds = match parts.next() {
        None => 0,
        Some(digits) if digits.len() > 9 => return Err(ValueError::OutOfRange),
        Some(digits) => number(digits)?,
    };
    let signed = if negative { -i128::from(seconds) } else { i128::from(seconds) };
    let seconds = i64::try_from(signed).map_err(|_| ValueError::OutOfRange)?;
    Ok(Timestamp { seconds, nanoseconds })
}

/// Enters a digest into `bytes`, which are as many as it has.
fn digest(algorithm: Algorithm, value: &[u8], bytes: &mut [u8]) -> Result<(), ValueError> {
    if algorithm == Algorithm::Cksum {
        bytes.copy_from_slice(&number::<u32>(value)?.to_be_bytes());
        return Ok(());
    }
    let digits = value.strip_prefix(b"0x").unwrap_or(value);
    unhex(digits, bytes).ok_or(ValueError::Malformed)
}

/// Octal digits, or clauses as chmod(1) has them, applied to no permission at all.
fn mode(value: &[u8]) -> Result<u16, ValueError> {
    if value.first().is_some_and(u8::is_ascii_digit) {
        if !value.iter().all(|byte| matches!(byte, b'0'..=b'7')) {
            return Err(ValueError::Malformed);
        }
        let significant = value.iter().skip_while(|byte| **byte == b'0');
        let text: String = significant.map(|byte| char::from(*byte)).collect();
        return match u16::from_str_radix(if text.is_empty() { "0" } else { &text }, 8) {
            Ok(mode) if mode <= 0o7777 => Ok(mode),
            _ => Err(ValueError::OutOfRange),
        };
    }
    value.split(|byte| *byte == b',').try_fold(0, symbolic_clause)
}

/// Applies a clause such as `u=rw`, `go-w` or `+x` to `mode`.
fn symbolic_clause(mut mode: u16, clause: &[u8]) -> Result<u16, ValueError> {
    let who_ends = clause.iter().position(|byte| !matches!(byte, b'u' | b'g' | b'o' | b'a'));
    let (who, actions) = clause.split_at(who_ends.ok_or(ValueError::Malformed)?);
    let class = |letter| who.is_empty() || who.contains(&letter) || who.contains(&b'a');
    let mut allowed = if class(b'u') { 0o4700 } else { 0 }
        | if class(b'g') { 0o2070 } else { 0 }
        | if class(b'o') { 0o0007 } else { 0 }
        | 0o1000;
    if who.is_empty() {
        // A clause that names nobody is filtered by the umask; we assume the usual one.
        allowed &= !0o022;
    }
    let mut operator = *actions.first().ok_or(ValueError::Malformed)?;
    if !matches!(operator, b'+' | b'-' | b'=') {
        return Err(ValueError::Malformed);
    }
    let mut bits = 0;
    let apply = |mode: u16, operator, bits: u16| match operator {
        b'+' => mode | bits & allowed,
        b'-' => mode & !(bits & allowed),
        _ => mode & !allowed | bits & allowed,
    };
    for letter in &actions[1..] {
        bits |= match letter {
            b'r' => 0o444,
            b'w' => 0o222,
            b'x' => 0o111,
            b'X' if mode & 0o111 != 0 => 0o111,
            b'X' => 0,
            b's' => 0o6000,
            b't' => 0o1000,
            b'+' | b'-' | b'=' => {
                mode = apply(mode, operator, bits);
                operator = *letter;
                bits = 0;
                continue;
            }
            _ => return Err(ValueError::Malformed),
        };
    }
    Ok(apply(mode, operator, bits))
}

/// A raw device number, or `FORMAT,major,minor` with C's prefixes of numbers.
fn device(value: &[u8]) -> Result<Device, ValueError> {
    const FORMATS: [&str; 15] = [
        "native", "386bsd", "4bsd", "bsdos", "freebsd", "hpux", "isc", "linux", "netbsd", "osf1",
        "sco", "solaris", "sunos", "svr3", "svr4",
    ];
    let text = str::from_utf8(value).map_err(|_| ValueError::Malformed)?;
    let mut parts = text.split(',');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<u64> = parts.map(c_number).collect::<Result<_, _>>()?;
    let small = |number| u32::try_from(number).map_err(|_| ValueError::OutOfRange);
    match rest[..] {
        [] => {
            let number = c_number(first)?;
            Ok(Device { major: rustix::fs::major(number), minor: rustix::fs::minor(number) })
        }
        [major, minor] if FORMATS.contains(&first) || first == "ultrix" => {
            Ok(Device { major: small(major)?, minor: small(minor)? })
        }
        [major, unit, subunit] if first == "bsdos" => {
            let minor = unit.checked_mul(256).and_then(|unit| unit.checked_add(subunit));
            Ok(Device { major: small(major)?, minor: small(minor.ok_or(ValueError::OutOfRange)?)? })
        }
        _ => Err(ValueError::Malformed),
    }
}

fn c_number(text: &str) -> Result<u64, ValueError> {
    let lower = text.to_ascii_lowercase();
    let (digits, base) = match lower.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        None => (&lower[..], 10),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ValueError::Malformed);
    }
    u64::from_str_radix(digits, base).map_err(|_| ValueError::OutOfRange)
}

/// Standard base64. Its padding may be absent, as some writers leave it out, and what its last
/// letter says beyond the last byte does not count.
static UNBASE64: LazyLock<Encoding> = LazyLock::new(|| {
    let mut letters = BASE64_NOPAD.specification();
    letters.check_trailing_bits = false;
    letters.encoding().expect("standard letters")
});

fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    UNBASE64.decode(&text[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_in_nanoseconds_after_the_dot() {
        let check = |text: &str, seconds, nanoseconds| {
            assert_eq!(time(text.as_bytes()), Ok(Timestamp { seconds, nanoseconds }), "{text}");
        };
        check("1.5", 1, 5);
        check("1610421833.500000000", 1_610_421_833, 500_000_000);
        check("-1.000000000", -1, 0);
        check("7", 7, 0);
        check("-9223372036854775808.0", i64::MIN, 0);
        for text in ["1.0000000001", "99999999999999999999.0", "9223372036854775808"] {
            assert_eq!(time(text.as_bytes()), Err(ValueError::OutOfRange), "{text}");
        }
        for text in ["", "-", "1.", ".5", "1.5.5", "+1", "1.-5", "1e3"] {
            assert_eq!(time(text.as_bytes()), Err(ValueError::Malformed), "{text}");
        }
    }

    #[test]
    fn modes_in_octal_and_as_chmod_writes_them() {
        for (text, want) in [
            ("0644", 0o644),
            ("644", 0o644),
            ("04755", 0o4755),
            ("0", 0),
            ("000000000000000644", 0o644),
            ("u=rw,go=r", 0o644),
            ("a=rwx,o-w", 0o775),
            ("+w", 0o200),
            ("u=rwxs,g=rx", 0o4750),
            ("u=rwx,a+X", 0o711),
        ] {
            assert_eq!(mode(text.as_bytes()), Ok(want), "{text}");
        }
        for text in ["", "8", "0648", "u", "u=q", "rw"] {
            assert_eq!(mode(text.as_bytes()), Err(ValueError::Malformed), "{text}");
        }
        assert_eq!(mode(b"100644"), Err(ValueError::OutOfRange));
        assert_eq!((Mode(0).to_string(), Mode(0o4755).to_string()), ("0".into(), "04755".into()));
    }

    #[test]
    fn devices_by_number_and_by_format() {
        let want = Device { major: 1, minor: 3 };
        for text in ["0x103", "259", "native,1,3", "linux,0x1,03"] {
            assert_eq!(device(text.as_bytes()), Ok(want), "{text}");
        }
        assert_eq!(want.to_string(), "linux,1,3");
        let large = Device { major: 7, minor: 300 };
        assert_eq!(
            (large.to_string(), device(b"native,7,300")),
            ("native,7,300".into(), Ok(large))
        );
        for text in ["", "linux", "linux,1", "linux,1,", "Linux,1,3", "linux,1,3,4", "x,1,3"] {
            assert_eq!(device(text.as_bytes()), Err(ValueError::Malformed), "{text}");
        }
        assert_eq!(device(b"linux,1,99999999999"), Err(ValueError::OutOfRange));
    }

    #[test]
    fn numbers_wrap_for_nobody() {
        assert_eq!(number::<u32>(b"4294967296"), Err(ValueError::OutOfRange));
        assert_eq!(number::<u32>(b"-1"), Err(ValueError::Malformed));
        assert_eq!(number::<u64>(b"18446744073709551616"), Err(ValueError::OutOfRange));
        for (text, value) in [("18446744073709551615", u64::MAX), ("0", 0), ("10", 10)] {
            assert_eq!(number::<u64>(text.as_bytes()), Ok(value));
            let mut written = Vec::new();
            push_number(value, &mut written);
            assert_eq!(written, text.as_bytes());
        }
    }

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

    #[test]
    fn attributes_with_equals_signs_in_the_name_and_in_the_padding() {
        for (name, value) in [("user.a", "x"), ("user.a=b", "xy"), ("user.a", ""), ("u=", "abc")] {
            let xattr = Xattr { name: name.as_bytes().into(), value: value.as_bytes().into() };
            let mut word = Vec::new();
            write_xattr(&xattr, &mut word);
            let mut facts = Facts::default();
            read_xattr(&mut facts, &word[b"xattr.".len()..]).unwrap();
            assert_eq!(facts.rare().xattrs, [xattr], "{name}={value}");
        }
        let mut facts = Facts::default();
        read_xattr(&mut facts, b"user.a=b=eHk=").unwrap();
        assert_eq!(&*facts.rare().xattrs[0].name, b"user.a=b");
        for word in ["", "=", "user.a", "=eHk=", "user.a=e", "user.a=e*k"] {
            assert!(read_xattr(&mut facts, word.as_bytes()).is_err(), "{word}");
        }
    }

    #[test]
    fn base64_is_the_standard_one() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(BASE64.encode(bytes.as_bytes()), text);
            assert_eq!(unbase64(text.as_bytes()).unwrap(), bytes.as_bytes());
        }
    }

    #[test]
    fn base64_is_read_without_padding_and_with_stray_bits() {
        for text in ["Zg==", "Zg=", "Zg", "Zh", "Zv==", "Zg===="] {
            assert_eq!(unbase64(text.as_bytes()).unwrap(), b"f", "{text}");
        }
        for text in ["Z", "Z===", "Zm9vY", "Zg==Zg==", "Z-8=", "Zg\n", " Zg"] {
            assert_eq!(unbase64(text.as_bytes()), None, "{text:?}");
        }
    }
}
