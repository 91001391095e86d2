//! The days of a schedule: days of the month and days of the week.

use jiff::civil::{Date, Weekday};

/// A day of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MonthDay {
    On(i16),
    Last,
    LastWorkday,
    /// The workday nearest to this day, within the month.
    Workday(i16),
    Never,
}

/// Days count from Sunday, 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WeekDay {
    Every(i16),
    Nth(i16, i16),
    Last(i16),
    Never,
}

impl MonthDay {
    /// True if a date is this day.
    pub(super) fn fits(self, date: Date) -> bool {
        let day = i16::from(date.day());
        let last = i16::from(date.days_in_month());
        match self {
            Self::On(on) => day == on,
            Self::Last => day == last,
            Self::LastWorkday => workday(date, last) == Some(day),
            Self::Workday(near) => near <= last && workday(date, near) == Some(day),
            Self::Never => false,
        }
    }
}

/// The workday nearest to `day` in the month of `date`.
fn workday(date: Date, day: i16) -> Option<i16> {
    let last = i16::from(date.days_in_month());
    let target = Date::new(date.year(), date.month(), i8::try_from(day).ok()?).ok()?;
    Some(match target.weekday() {
        Weekday::Saturday if day > 1 => day - 1,
        Weekday::Saturday => day + 2,
        Weekday::Sunday if day < last => day + 1,
        Weekday::Sunday => day - 2,
        _ => day,
    })
}

impl WeekDay {
    /// True if a date is this day.
    pub(super) fn fits(self, date: Date) -> bool {
        let day = i16::from(date.weekday().to_sunday_zero_offset());
        let is_last = date.day() > date.days_in_month() - 7;
        match self {
            Self::Every(on) => day == on,
            Self::Nth(on, nth) => day == on && (i16::from(date.day()) - 1) / 7 + 1 == nth,
            Self::Last(on) => day == on && is_last,
            Self::Never => false,
        }
    }
}
