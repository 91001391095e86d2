//! Parses a schedule. Each field has a grammar.

use super::day::{MonthDay, WeekDay};
use super::schedule::Schedule;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The text is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Fewer than five fields.
    #[error("missing field(s): 5 to 7 are needed")]
    Missing,
    /// A field of commas only.
    #[error("{0} field: missing directive")]
    Empty(&'static str),
    /// A part that the field's grammar does not allow, or that is out of its range.
    #[error("syntax error in {0} field: '{1}'")]
    Syntax(&'static str, String),
    /// A step of 0, or one larger than the field's range.
    #[error("invalid interval {0}")]
    Interval(String),
    /// A range whose end is before its start, so that the field has no value.
    #[error("no value in {0} field: '{1}'")]
    Nothing(&'static str, String),
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

/// The meaning of one part of a field.
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

    /// All values of a field that allows no special days.
    fn values(&self, field: &str) -> Result<BTreeSet<i16>, CronError> {
        let mut values = BTreeSet::new();
        for part in self.parts(field)? {
            match self.directive(part)? {
                Directive::All => values.extend(self.range.clone()),
                Directive::Values(some) => values.extend(some),
            }
        }
        // If no year matches, the schedule never runs, which is harmless. If another field has no
        // value, the reference crashes.
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

    /// A number, a whole name, or its first three letters.
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
        // cron allows both 0 and 7 for Sunday.
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
