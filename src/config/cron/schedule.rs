//! A schedule, and how to calculate its times.

use super::day::{MonthDay, WeekDay};
use jiff::ZonedDateTime;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::fmt;

/// A schedule in the wall clock of a time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub(super) text: String,
    pub(super) seconds: BTreeSet<i16>,
    pub(super) minutes: BTreeSet<i16>,
    pub(super) hours: BTreeSet<i16>,
    pub(super) months: BTreeSet<i16>,
    pub(super) years: BTreeSet<i16>,
    /// Empty: every day of the month matches.
    pub(super) month_days: BTreeSet<MonthDay>,
    /// Empty: every day of the week matches.
    pub(super) week_days: BTreeSet<WeekDay>,
}

impl Schedule {
    /// The first time after `now`; `None` if the schedule has no later time.
    pub fn next(&self, now: &ZonedDateTime) -> Option<ZonedDateTime> {
        let start = now.datetime();
        let last = *self.years.last()?;
        let mut date = start.date();
        while date.year() <= last {
            if !self.years.contains(&date.year()) {
                date = Date::new(date.year() + 1, 1, 1).ok()?;
                continue;
            }
            if self.fits_day(date) {
                let from = if date == start.date() { start.hour() } else { 0 };
                let found = self.times(date, from, now.time_zone()).find(|time| time > now);
                if found.is_some() {
                    return found;
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// All times after `now`.
    pub fn upcoming(&self, now: &ZonedDateTime) -> impl Iterator<Item = ZonedDateTime> + '_ {
        std::iter::successors(self.next(now), |time| self.next(time))
    }

    /// The times of a day, from the hour `from` on.
    fn times<'a>(
        &'a self,
        date: Date,
        from: i8,
        zone: &'a TimeZone,
    ) -> impl Iterator<Item = ZonedDateTime> + 'a {
        let hours = self.hours.range(i16::from(from)..);
        let minutes = hours.flat_map(|hour| self.minutes.iter().map(move |minute| (hour, minute)));
        let seconds = minutes.flat_map(|(hour, minute)| {
            self.seconds.iter().map(move |second| [hour, minute, second])
        });
        seconds.filter_map(move |[hour, minute, second]| {
            let part = |part: &i16| i8::try_from(*part).ok();
            let time = Time::new(part(hour)?, part(minute)?, part(second)?, 0).ok()?;
            // Daylight saving: a skipped time runs an hour later; a repeated time runs once.
            zone.to_ambiguous_zoned_datetime(DateTime::from_parts(date, time)).compatible().ok()
        })
    }

    /// If both the day of the month and the day of the week are restricted, one match is enough.
    fn fits_day(&self, date: Date) -> bool {
        let any = self.month_days.is_empty() && self.week_days.is_empty();
        self.months.contains(&i16::from(date.month()))
            && (any
                || self.month_days.iter().any(|day| day.fits(date))
                || self.week_days.iter().any(|day| day.fits(date)))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
