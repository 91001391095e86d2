//! Schedules in the reference's cron dialect: seconds and years, `L`, `W` and `#` for days.
//! NNCP manual, "Call configuration".

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{ZonedDateTime, tz::TimeZone};
use std::{collections::BTreeSet, fmt, ops::RangeInclusive, str::FromStr};

/// The text is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Fewer than five fields.
    #[error("missing field(s): 5 to 7 are needed")]
    Missing,
    /// A field of commas only.
    #[error("{0} field: missing directive")]
    Empty(&'static str),
    /// Not of the field's grammar, or out of its range.
    #[error("syntax error in {0} field: '{1}'")]
    Syntax(&'static str, String),
    /// A step of nothing, or beyond the field's range.
    #[error("invalid interval {0}")]
    Interval(String),
    /// A range whose end is before its start, in a field that would be left empty.
    #[error("no value in {0} field: '{1}'")]
    Nothing(&'static str, String),
}

/// When something is to be done, in some time zone's wall clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    seconds: BTreeSet<i16>,
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    months: BTreeSet<i16>,
    years: BTreeSet<i16>,
    /// Empty when any day of the month will do.
    month_days: BTreeSet<MonthDay>,
    /// Empty when any day of the week will do.
    week_days: BTreeSet<WeekDay>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum MonthDay {
    On(i16),
    Last,
    LastWorkday,
    /// The workday nearest to this day, within the month.
    Workday(i16),
    Never,
}

/// Days count from Sunday, 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum WeekDay {
    Every(i16),
    Nth(i16, i16),
    Last(i16),
    Never,
}

impl Schedule {
    /// The first time after `now` that fits; `None` when the schedule ends before.
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

    /// All times after `now` that fit.
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
            // In the hour that is skipped in spring, later; in the one that is repeated, once.
            zone.to_ambiguous_zoned_datetime(DateTime::from_parts(date, time)).compatible().ok()
        })
    }

    /// When both the day of the month and that of the week are restricted, either will do.
    fn fits_day(&self, date: Date) -> bool {
        let any = self.month_days.is_empty() && self.week_days.is_empty();
        self.months.contains(&i16::from(date.month()))
            && (any
                || self.month_days.iter().any(|day| day.fits(date))
                || self.week_days.iter().any(|day| day.fits(date)))
    }
}

impl MonthDay {
    fn fits(self, date: Date) -> bool {
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
    fn fits(self, date: Date) -> bool {
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

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

const MACROS: [(&str, &str); 6] = [
    ("@yearly", "0 0 0 1 1 * *"),
    ("@annually", "0 0 0 1 1 * *"),
    ("@monthly", "0 0 0 1 * * *"),
    ("@weekly", "0 0 0 * * 0 *"),
    ("@daily", "0 0 0 * * * *"),
    ("@hourly", "0 0 * * * * *"),
];

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEK_DAYS: &[&str] =
    &["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// The range and the names of a field.
struct Grammar {
    name: &'static str,
    range: RangeInclusive<i16>,
    names: &'static [&'static str],
    /// The number of the first name.
    first_name: i16,
}

const fn numbers(name: &'static str, range: RangeInclusive<i16>) -> Grammar {
    Grammar { name, range, names: &[], first_name: 0 }
}

const SECOND: Grammar = numbers("second", 0..=59);
const MINUTE: Grammar = numbers("minute", 0..=59);
const HOUR: Grammar = numbers("hour", 0..=23);
const MONTH_DAY: Grammar = numbers("day-of-month", 1..=31);
const MONTH: Grammar = Grammar { name: "month", range: 1..=12, names: MONTHS, first_name: 1 };
const WEEK_DAY: Grammar =
    Grammar { name: "day-of-week", range: 0..=6, names: WEEK_DAYS, first_name: 0 };
const YEAR: Grammar = numbers("year", 1970..=2099);

/// What one part of a field says.
enum Directive {
    All,
    Values(Vec<i16>),
}

impl FromStr for Schedule {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let spelt =
            MACROS.iter().fold(text.to_owned(), |text, (name, spelt)| text.replace(name, spelt));
        let fields: Vec<&str> = spelt.split_whitespace().take(7).collect();
        let (second, rest) = match fields.len() {
            0..5 => return Err(CronError::Missing),
            7 => (fields[0], &fields[1..]),
            _ => ("0", &fields[..]),
        };
        Ok(Self {
            text: text.to_owned(),
            seconds: SECOND.values(second)?,
            minutes: MINUTE.values(rest[0])?,
            hours: HOUR.values(rest[1])?,
            month_days: month_days(rest[2])?,
            months: MONTH.values(rest[3])?,
            week_days: week_days(rest[4])?,
            years: YEAR.values(rest.get(5).unwrap_or(&"*"))?,
        })
    }
}

impl Grammar {
    fn syntax(&self, part: &str) -> CronError {
        CronError::Syntax(self.name, part.to_owned())
    }

    fn parts<'a>(&self, field: &'a str) -> Result<impl Iterator<Item = &'a str>, CronError> {
        let mut parts = field.split(',').filter(|part| !part.is_empty()).peekable();
        parts.peek().ok_or(CronError::Empty(self.name))?;
        Ok(parts)
    }

    /// All values of a field that knows no special days.
    fn values(&self, field: &str) -> Result<BTreeSet<i16>, CronError> {
        let mut values = BTreeSet::new();
        for part in self.parts(field)? {
            match self.directive(part)? {
                Directive::All => values.extend(self.range.clone()),
                Directive::Values(some) => values.extend(some),
            }
        }
        // A year that is never reached is harmless; anything else makes the reference crash.
        if values.is_empty() && self.name != YEAR.name {
            return Err(CronError::Nothing(self.name, field.to_owned()));
        }
        Ok(values)
    }

    /// `*`, `?`, `*/n`, `a`, `a/n`, `a-b`, `a-b/n`.
    fn directive(&self, part: &str) -> Result<Directive, CronError> {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, Some(self.step(step, part)?)),
            None => (part, None),
        };
        let (first, last) = match (span, span.split_once('-')) {
            ("*" | "?", _) if step.is_none() => return Ok(Directive::All),
            ("*", _) => (*self.range.start(), *self.range.end()),
            (_, Some((first, last))) => (self.value(first, part)?, self.value(last, part)?),
            (one, None) => {
                let one = self.value(one, part)?;
                (one, if step.is_some() { *self.range.end() } else { one })
            }
        };
        Ok(Directive::Values((first..=last).step_by(step.unwrap_or(1)).collect()))
    }

    fn step(&self, step: &str, part: &str) -> Result<usize, CronError> {
        if step.is_empty() || !step.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.syntax(part));
        }
        let bound = usize::try_from(*self.range.end()).unwrap_or(0);
        let step = step.parse().ok().filter(|step| (1..=bound).contains(step));
        step.ok_or_else(|| CronError::Interval(part.to_owned()))
    }

    fn value(&self, text: &str, part: &str) -> Result<i16, CronError> {
        self.maybe_value(text).ok_or_else(|| self.syntax(part))
    }

    /// A number or a name, three letters or whole.
    fn maybe_value(&self, text: &str) -> Option<i16> {
        let text = text.to_ascii_lowercase();
        if let Some(at) = self.names.iter().position(|name| *name == text || name[..3] == text) {
            return Some(self.first_name + i16::try_from(at).ok()?);
        }
        let width = if *self.range.end() > 99 { 4..=4 } else { 1..=2 };
        if !width.contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let value: i16 = text.parse().ok()?;
        // Sunday has two numbers.
        let value = if self.name == WEEK_DAY.name && value == 7 { 0 } else { value };
        self.range.contains(&value).then_some(value)
    }
}

fn month_days(field: &str) -> Result<BTreeSet<MonthDay>, CronError> {
    let mut days = BTreeSet::new();
    let mut any = false;
    for part in MONTH_DAY.parts(field)? {
        let lower = part.to_ascii_lowercase();
        let near = lower.strip_suffix('w').and_then(|day| MONTH_DAY.maybe_value(day));
        match (lower.as_str(), near) {
            ("l", _) => drop(days.insert(MonthDay::Last)),
            ("lw", _) => drop(days.insert(MonthDay::LastWorkday)),
            (_, Some(day)) => drop(days.insert(MonthDay::Workday(day))),
            _ => match MONTH_DAY.directive(part)? {
                Directive::All => any = true,
                Directive::Values(values) if values.is_empty() => {
                    days.insert(MonthDay::Never);
                }
                Directive::Values(values) => days.extend(values.into_iter().map(MonthDay::On)),
            },
        }
    }
    Ok(if any { BTreeSet::new() } else { days })
}

fn week_days(field: &str) -> Result<BTreeSet<WeekDay>, CronError> {
    let mut days = BTreeSet::new();
    let mut any = false;
    for part in WEEK_DAY.parts(field)? {
        let lower = part.to_ascii_lowercase();
        let last = lower.strip_suffix('l').and_then(|day| WEEK_DAY.maybe_value(day));
        let nth = lower.split_once('#').and_then(|(day, nth)| {
            let nth: i16 = nth.parse().ok().filter(|_| nth.len() == 1)?;
            Some((WEEK_DAY.maybe_value(day)?, nth))
        });
        match (last, nth) {
            (Some(day), _) => drop(days.insert(WeekDay::Last(day))),
            (_, Some((day, nth))) if (1..=5).contains(&nth) => {
                days.insert(WeekDay::Nth(day, nth));
            }
            _ => match WEEK_DAY.directive(part)? {
                Directive::All => any = true,
                Directive::Values(values) if values.is_empty() => {
                    days.insert(WeekDay::Never);
                }
                Directive::Values(values) => days.extend(values.into_iter().map(WeekDay::Every)),
            },
        }
    }
    Ok(if any { BTreeSet::new() } else { days })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn upcoming(text: &str, zone: &str, from: DateTime, count: usize) -> Vec<String> {
        let schedule: Schedule = text.parse().unwrap();
        let now = from.in_tz(zone).unwrap();
        let times: Vec<_> = schedule.upcoming(&now).take(count).collect();
        times.iter().map(|time| time.strftime("%Y-%m-%d %H:%M:%S").to_string()).collect()
    }

    /// As the reference answers at 22:20 on 22 November 2026, UTC.
    fn check(text: &str, want: &[&str]) {
        let from = date(2026, 11, 22).at(22, 20, 0, 0);
        let found = upcoming(text, "UTC", from, want.len().max(1));
        let want: Vec<String> = want.iter().map(|time| format!("{time}:00")).collect();
        assert_eq!(found, want, "{text}");
    }

    #[test]
    fn times_are_those_of_the_reference() {
        check("30 0 3 * * *", &["2026-12-03 00:30", "2027-01-03 00:30"]);
        check("0 0 L * *", &["2026-11-30 00:00", "2026-12-31 00:00"]);
        check("0 0 LW * *", &["2026-11-30 00:00", "2026-12-31 00:00", "2027-01-29 00:00"]);
        check("0 0 1W * *", &["2026-12-01 00:00", "2027-01-01 00:00", "2027-02-01 00:00"]);
        check("0 0 * * 5#2", &["2026-12-11 00:00", "2027-01-08 00:00"]);
        check("0 0 * * 5L", &["2026-11-27 00:00", "2026-12-25 00:00", "2027-01-29 00:00"]);
        check("0 0 13 * 5", &["2026-11-27 00:00", "2026-12-04 00:00", "2026-12-11 00:00"]);
        check("0 0 29 2 *", &["2028-02-29 00:00", "2032-02-29 00:00"]);
        check("5/20 * * * *", &["2026-11-22 22:25", "2026-11-22 22:45", "2026-11-22 23:05"]);
        check("20 22 * * *", &["2026-11-23 22:20"]);
    }

    #[test]
    fn schedules_that_end_give_nothing() {
        for text in ["0 0 30 2 *", "0 0 1 1 * 2020", "0 0 * * fri-mon", "0 0 1 1 * 2030-2028"] {
            check(text, &[]);
        }
    }

    #[test]
    fn a_time_that_spring_skips_is_due_later_that_day_and_once() {
        let from = date(2027, 3, 13).at(12, 0, 0, 0);
        let found = upcoming("30 2 * * *", "America/New_York", from, 3);
        assert_eq!(found, ["2027-03-14 03:30:00", "2027-03-15 02:30:00", "2027-03-16 02:30:00"]);
    }

    #[test]
    fn a_time_that_autumn_repeats_is_due_once() {
        let from = date(2027, 10, 30).at(12, 0, 0, 0);
        let found = upcoming("30 2 * * *", "Europe/Berlin", from, 2);
        assert_eq!(found, ["2027-10-31 02:30:00", "2027-11-01 02:30:00"]);
    }

    #[test]
    fn refusals_are_told_as_the_reference_does() {
        let check = |text: &str, want: &str| {
            let error = text.parse::<Schedule>().unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
        };
        check("", "missing field(s)");
        check("* * * *", "missing field(s)");
        check("@reboot", "missing field(s)");
        check("61 * * * *", "syntax error in minute field: '61'");
        check("* * * * 1#6", "syntax error in day-of-week field: '1#6'");
        check("* * L-1 * *", "syntax error in day-of-month field: 'L-1'");
        check("? */24 * * *", "invalid interval */24");
        check(", * * * *", "minute field: missing directive");
        // The reference crashes on this one.
        check("10-5 * * * *", "no value in minute field: '10-5'");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-0-9*/?,#LWlwa-f@ ]{0,24}") {
            if let Ok(schedule) = text.parse::<Schedule>() {
                let now = date(2026, 11, 22).at(22, 20, 0, 0).in_tz("UTC").unwrap();
                let times: Vec<_> = schedule.upcoming(&now).take(3).collect();
                assert!(times.is_sorted() && times.iter().all(|time| *time > now));
            }
        }
    }
}
