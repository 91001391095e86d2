//! Device numbers: `linux,1,3`.

use super::super::facts::Device;
use super::error::ValueError;
use super::number::c_number;
use std::fmt;

/// In the format of Linux. NetBSD's mtree reads it as such if both numbers are below 256, and
/// larger ones in the format of its own system.
impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = if self.major < 256 && self.minor < 256 { "linux" } else { "native" };
        write!(f, "{format},{},{}", self.major, self.minor)
    }
}

/// Parses a raw device number, or `FORMAT,major,minor` with numbers as in C.
pub(super) fn device(value: &[u8]) -> Result<Device, ValueError> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
