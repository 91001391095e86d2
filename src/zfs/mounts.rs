//! Finds the datasets that contain given files, by device number: links and bind mounts make the
//! path unreliable.

use rustix::fs::{major, minor};
use std::collections::BTreeSet;
use std::{fs, io};

/// The names of the mounted datasets that have these device numbers (`st_dev`). Empty if the kernel
/// has no table of mounts.
///
/// # Errors
/// If the table of mounts cannot be read.
pub(crate) fn datasets_of(devices: &BTreeSet<u64>) -> io::Result<BTreeSet<String>> {
    match fs::read("/proc/self/mountinfo") {
        Ok(table) => Ok(parse(&String::from_utf8_lossy(&table), devices)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

/// The sources of the ZFS mounts, as OpenZFS and zfs-fuse list them. proc_pid_mountinfo(5).
fn parse(table: &str, devices: &BTreeSet<u64>) -> BTreeSet<String> {
    let wanted: BTreeSet<_> =
        devices.iter().map(|device| format!("{}:{}", major(*device), minor(*device))).collect();
    let source = |line: &str| {
        let (mount, of) = line.split_once(" - ")?;
        let device = mount.split(' ').nth(2)?;
        let mut of = of.split(' ');
        let (kind, source) = (of.next()?, of.next()?);
        let is_zfs = kind == "zfs" || kind.starts_with("fuse");
        (is_zfs && wanted.contains(device)).then(|| plain(source))
    };
    table.lines().filter_map(source).collect()
}

/// Decodes a field of the table, in which blanks and control characters are octal: `\\040`.
fn plain(field: &str) -> String {
    let mut parts = field.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                plain.push(char::from(byte));
                plain += &part[3..];
            }
            None => {
                plain.push('\\');
                plain += part;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::makedev;

    const TABLE: &str = "\
22 1 0:21 / / rw,relatime shared:1 - zfs rpool/ROOT/debian rw,xattr
23 22 0:21 /var/spool/nncp /srv/nncp rw,relatime shared:1 - zfs rpool/ROOT/debian rw,xattr
30 22 0:33 / /home rw - zfs rpool/my\\040docs rw
31 22 0:34 / /lab rw,nosuid shared:3 master:4 - fuse labsrc/a rw,user_id=0
32 22 8:1 / /boot rw - ext4 /dev/sda1 rw
33 22 0:40 / /tmp rw - tmpfs rpool/tmp rw
broken
";

    #[track_caller]
    fn check(minors: &[u32], want: &[&str]) {
        let devices = minors.iter().map(|minor| makedev(0, *minor)).collect();
        assert_eq!(parse(TABLE, &devices).into_iter().collect::<Vec<_>>(), want);
    }

    #[test]
    fn a_dataset_is_known_by_its_device_through_bind_mounts() {
        check(&[21], &["rpool/ROOT/debian"]);
        check(&[33, 34], &["labsrc/a", "rpool/my docs"]);
        check(&[40, 99], &[]);
        let boot = [makedev(8, 1)].into();
        assert!(parse(TABLE, &boot).is_empty());
    }

    #[test]
    fn what_is_no_octal_stays() {
        assert_eq!(plain("a\\040b\\134c"), "a b\\c");
        assert_eq!(plain("\\9z"), "\\9z");
    }
}
