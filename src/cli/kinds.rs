//! Flags that make toss skip packets: one for each name in the table of kinds.

use super::flag::{Flag, Flags};
use super::value::{self, Value};
use packmule_protocol::packet::Kinds;
use packmule_protocol::packet::kind::Row;
use std::fmt::Debug;
use std::marker::PhantomData;

/// The names and help texts of such flags in one command.
pub(crate) trait Wording: Debug + Clone {
    /// The prefix of the flag's name.
    const PREFIX: &'static str;
    /// The help text of the flag for this kind.
    fn help(row: &Row) -> String;
}

/// `-nofile` and the other flags of `nncp-toss`.
#[derive(Debug, Clone)]
pub(crate) struct OfToss;

impl Wording for OfToss {
    const PREFIX: &'static str = "no";

    fn help(row: &Row) -> String {
        format!("Do not process {}", row.packets)
    }
}

/// `-autotoss-nofile` and the other flags for tossing during a call.
#[derive(Debug, Clone)]
pub(crate) struct OfCalls;

impl Wording for OfCalls {
    const PREFIX: &'static str = "autotoss-no";

    fn help(row: &Row) -> String {
        format!("Do not toss {} during the call", row.short)
    }
}

/// The flags by name of kind, each true if it was given.
#[derive(Debug, Clone)]
pub(crate) struct KindFlags<W> {
    given: Vec<(&'static str, bool)>,
    wording: PhantomData<W>,
}

impl<W> KindFlags<W> {
    /// The kinds to skip.
    pub(crate) fn kinds(&self) -> Kinds {
        Kinds::named(|name| self.given.contains(&(name, true)))
    }
}

impl<W> Default for KindFlags<W> {
    fn default() -> Self {
        Self { given: Row::named().map(|row| (row.name, false)).collect(), wording: PhantomData }
    }
}

impl<W: Wording> Flags for KindFlags<W> {
    fn declared() -> Vec<Flag> {
        let flag = |row: &Row| Flag {
            name: format!("{}{}", W::PREFIX, row.name).into(),
            kind: value::Kind::Switch,
            help: W::help(row).into(),
            default: String::new(),
            own: false,
        };
        Row::named().map(flag).collect()
    }

    fn value(&mut self, name: &str) -> Option<&mut dyn Value> {
        let name = name.strip_prefix(W::PREFIX)?;
        let (_, given) = self.given.iter_mut().find(|(known, _)| *known == name)?;
        Some(given)
    }

    fn setting(&mut self, _key: &str) -> Option<(&'static str, &mut dyn Value)> {
        None
    }

    fn note(&mut self, _name: &str) {}
}
