//! Compares the expected facts of an object with those found, and rates the differences.

use super::facts::{Facts, Kind, Timestamp, Xattr};
use super::keyword::{Keyword, Keywords};

/// Kinds of difference.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// The object is expected and does not exist.
    Missing,
    /// The object exists and is not expected.
    Extra,
    /// Another type, such as a file instead of a directory.
    Type,
    /// Other content or another size.
    Content,
    /// A symbolic link with another target.
    Link,
    /// Another device number.
    Device,
    /// Names are hard links and should not be, or the other way round.
    HardLink,
    /// Other permissions or flags.
    Mode,
    /// Another owner or group.
    Owner,
    /// Another modification time.
    Time,
    /// Other extended attributes or access control lists.
    Xattr,
}

impl Class {
    /// All classes, gravest first.
    pub const ALL: [Self; 11] = [
        Self::Missing,
        Self::Extra,
        Self::Type,
        Self::Content,
        Self::Link,
        Self::Device,
        Self::HardLink,
        Self::Mode,
        Self::Owner,
        Self::Time,
        Self::Xattr,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Type => "type",
            Self::Content => "content",
            Self::Link => "link",
            Self::Device => "device",
            Self::HardLink => "hardlink",
            Self::Mode => "mode",
            Self::Owner => "owner",
            Self::Time => "time",
            Self::Xattr => "xattr",
        }
    }

    /// The class of a difference in one keyword.
    pub fn of(keyword: Keyword) -> Self {
        match keyword {
            Keyword::Type => Self::Type,
            Keyword::Uid | Keyword::Uname | Keyword::Gid | Keyword::Gname => Self::Owner,
            Keyword::Nlink | Keyword::Inode | Keyword::Resdevice => Self::HardLink,
            Keyword::Device => Self::Device,
            Keyword::Link => Self::Link,
            Keyword::Time | Keyword::TarTime => Self::Time,
            Keyword::Xattr | Keyword::Acl => Self::Xattr,
            Keyword::Mode | Keyword::Flags | Keyword::Tags => Self::Mode,
            _ => Self::Content,
        }
    }
}

/// How exactly a copy must match.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Level {
    /// Every difference fails, times to the nanosecond. What could not be checked fails, too.
    Strict,
    /// Every difference fails. If one of two times is in whole seconds, only the seconds must
    /// match.
    #[default]
    Normal,
    /// Missing and extra objects, other types, content and link targets fail. Other modes, owners,
    /// times, hard links and attributes are only reported.
    Loose,
}

impl Level {
    /// True if a difference of this class makes the comparison fail.
    pub fn fails(self, class: Class) -> bool {
        let metadata = [Class::HardLink, Class::Mode, Class::Owner, Class::Time, Class::Xattr];
        self != Self::Loose || !metadata.contains(&class)
    }
}

/// How objects are compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// How exactly a copy must match.
    pub level: Level,
    /// Tolerance for times, in nanoseconds.
    pub tolerance: u64,
    /// Keywords that are not compared.
    pub ignore: Keywords,
    /// Do not report extra objects.
    pub ignore_extra: bool,
}

impl Rules {
    /// The keywords in which `found` differs from `expected`. Compares only what both have.
    ///
    /// If the type differs, nothing else is compared.
    pub fn differences(&self, expected: &Facts, found: &Facts) -> Keywords {
        let both = expected.keywords().intersection(found.keywords()).without(self.ignore);
        let kind = found.kind.or(expected.kind);
        if both.contains(Keyword::Type) && expected.kind != found.kind {
            return Keywords::NONE.with(Keyword::Type);
        }
        let differs = |keyword| match keyword {
            // File systems disagree on the mode of a link, on the size of anything but a file, and
            // on the link count of a directory.
            Keyword::Mode => kind != Some(Kind::Link) && expected.mode != found.mode,
            Keyword::Size => {
                expected.kind.is_none_or(|k| k == Kind::File) && expected.size != found.size
            }
            Keyword::Nlink => kind != Some(Kind::Dir) && expected.nlink != found.nlink,
            Keyword::Uid => expected.uid != found.uid,
            Keyword::Gid => expected.gid != found.gid,
            Keyword::Xattr | Keyword::Time | Keyword::TarTime => false,
            other => Self::rarely_differs(other, expected, found),
        };
        let mut differences: Keywords = both.iter().filter(|keyword| differs(*keyword)).collect();
        if self.times_differ(expected, found) {
            differences.add(Keyword::Time);
        }
        differences
    }

    /// True if the extended attributes differ. If `all`, an attribute that is not expected counts,
    /// too.
    pub fn xattrs_differ(&self, expected: &Facts, found: &Facts, all: bool) -> bool {
        let ignored = |xattr: &&Xattr| {
            self.ignore.contains(Keyword::Xattr)
                || xattr.is_acl() && self.ignore.contains(Keyword::Acl)
        };
        let (expected, found) = (&expected.rare().xattrs, &found.rare().xattrs);
        let is_missing = |xattr: &Xattr| found.binary_search(xattr).is_err();
        let is_extra = |xattr: &Xattr| expected.binary_search(xattr).is_err();
        expected.iter().filter(|xattr| !ignored(xattr)).any(is_missing)
            || all && found.iter().filter(|xattr| !ignored(xattr)).any(is_extra)
    }

    fn rarely_differs(keyword: Keyword, expected: &Facts, found: &Facts) -> bool {
        if let Some(algorithm) = keyword.algorithm() {
            return expected.digests.find(algorithm) != found.digests.find(algorithm);
        }
        let (expected, found) = (expected.rare(), found.rare());
        match keyword {
            Keyword::Link => expected.link != found.link,
            Keyword::Uname => expected.uname != found.uname,
            Keyword::Gname => expected.gname != found.gname,
            Keyword::Device => expected.device != found.device,
            Keyword::Flags => expected.flags != found.flags,
            // These differ between hosts by their nature, so they say nothing about the object.
            _ => false,
        }
    }

    fn times_differ(&self, expected: &Facts, found: &Facts) -> bool {
        let (Some(one), Some(other)) = (expected.time, found.time) else { return false };
        let ignored = self.ignore.contains(Keyword::Time);
        let whole = expected.whole_seconds || found.whole_seconds;
        !ignored && one != other && !self.times_agree(one, other, whole)
    }

    fn times_agree(&self, one: Timestamp, other: Timestamp, whole: bool) -> bool {
        let apart = (one.as_nanoseconds() - other.as_nanoseconds()).unsigned_abs();
        // A time without nanoseconds may have been copied by a tool that drops them.
        let coarse = one.nanoseconds == 0 || other.nanoseconds == 0;
        apart <= u128::from(self.tolerance)
            || one.seconds == other.seconds && (whole || coarse && self.level != Level::Strict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: i64, nanoseconds: u32) -> Facts {
        let time = Some(Timestamp { seconds, nanoseconds });
        Facts { kind: Some(Kind::File), time, ..Facts::default() }
    }

    #[test]
    fn times_agree_to_the_coarser_of_both() {
        let normal = Rules::default();
        let strict = Rules { level: Level::Strict, ..normal };
        let within = Rules { level: Level::Strict, tolerance: 2_000_000_000, ..normal };
        let check = |rules: Rules, one, other, want: bool| {
            assert_eq!(rules.differences(&one, &other).is_empty(), want);
        };
        check(normal, time(5, 0), time(5, 7), true);
        check(strict, time(5, 0), time(5, 7), false);
        check(normal, time(5, 1), time(5, 2), false);
        check(normal, time(5, 0), time(6, 0), false);
        check(within, time(5, 0), time(7, 0), true);
        check(within, time(5, 0), time(7, 1), false);
        check(normal, time(-1, 500), time(-1, 500), true);
        let tar = Facts { whole_seconds: true, ..time(5, 0) };
        check(strict, tar, time(5, 7), true);
    }

    #[test]
    fn what_means_something_else_elsewhere_is_not_compared() {
        let facts = |kind, n: u32| {
            let (mode, size) = (Some(0o777 - n as u16), Some(u64::from(n)));
            Facts { kind: Some(kind), mode, size, nlink: Some(n), ..Facts::default() }
        };
        let check = |kind, want: &str| {
            let differences = Rules::default().differences(&facts(kind, 1), &facts(kind, 2));
            assert_eq!(differences.to_string(), want);
        };
        check(Kind::Dir, "mode");
        check(Kind::Link, "nlink");
        check(Kind::File, "mode,nlink,size");
    }

    #[test]
    fn a_type_that_differs_says_it_all() {
        let one = Facts { kind: Some(Kind::File), mode: Some(1), ..Facts::default() };
        let other = Facts { kind: Some(Kind::Fifo), mode: Some(2), ..Facts::default() };
        assert_eq!(Rules::default().differences(&one, &other).to_string(), "type");
    }

    #[test]
    fn loose_is_about_content_only() {
        let fails: Vec<_> =
            Class::ALL.into_iter().filter(|class| Level::Loose.fails(*class)).collect();
        use Class::{Content, Device, Extra, Link, Missing, Type};
        assert_eq!(fails, [Missing, Extra, Type, Content, Link, Device]);
        assert!(Class::ALL.into_iter().all(|class| Level::Normal.fails(class)));
    }
}
