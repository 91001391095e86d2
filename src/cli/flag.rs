//! Flags: declared once, as the fields of a struct.
//!
//! `flags!` turns a list of names, types and defaults into the struct a command receives. The
//! parser fills it, and help, man pages and completions read the same list.

use super::integer;
use packmule_protocol::niceness::{Niceness, ParseNicenessError};
use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

/// Declares a struct of flags.
///
/// A line is the help text as a doc comment, the flag's name, its field, its type, and a default
/// where that is not the type's own. `use field: Struct;` lines at the top take in shared groups. `own`
/// before a name keeps a flag from the command's `nncp-` name, whose flags are the reference's.
macro_rules! flags {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(use $group:ident: $group_type:ty;)*
            $($(#[doc = $help:literal])+
            $($own:ident)? $flag:literal $field:ident: $type:ty $(= $default:expr)?;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        $vis struct $name {
            $(#[doc = concat!("The flags of [`", stringify!($group_type), "`].")]
            pub $group: $group_type,)*
            $($(#[doc = $help])+ pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($group: Default::default(),)*
                    $($field: flags!(@default $($default)?),)*
                }
            }
        }

        impl $crate::cli::flag::Flags for $name {
            fn declared() -> Vec<$crate::cli::flag::Flag> {
                #[allow(unused_variables, reason = "a struct of groups has no flags of its own")]
                let defaults = Self::default();
                let groups: &[Vec<$crate::cli::flag::Flag>] =
                    &[$(<$group_type as $crate::cli::flag::Flags>::declared()),*];
                let own: &[$crate::cli::flag::Flag] = &[$($crate::cli::flag::Flag {
                    name: $flag,
                    kind: $crate::cli::flag::Value::kind(&defaults.$field),
                    help: concat!($($help, "\n"),+),
                    default: $crate::cli::flag::Value::shown(&defaults.$field),
                    own: flags!(@own $($own)?),
                }),*];
                [groups.concat().as_slice(), own].concat()
            }

            #[allow(unused_variables, reason = "a struct may be empty")]
            fn value(&mut self, name: &str) -> Option<&mut dyn $crate::cli::flag::Value> {
                $(if name == $flag {
                    return Some(&mut self.$field);
                })*
                $(if let Some(value) = $crate::cli::flag::Flags::value(&mut self.$group, name) {
                    return Some(value);
                })*
                None
            }

            #[allow(unused_variables, reason = "a struct may be empty")]
            fn setting(
                &mut self,
                key: &str,
            ) -> Option<(&'static str, &mut dyn $crate::cli::flag::Value)> {
                $(if stringify!($field).replace('_', "-") == key {
                    return Some(($flag, &mut self.$field));
                })*
                None
            }

            #[allow(unused_variables, reason = "a struct may have no groups")]
            fn note(&mut self, name: &str) {
                $($crate::cli::flag::Flags::note(&mut self.$group, name);)*
            }
        }
    };
    (@own) => { false };
    (@own own) => { true };
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
}
pub(crate) use flags;

/// A struct of flags, as `flags!` makes it.
pub trait Flags: Default {
    /// All flags, those of shared groups first.
    fn declared() -> Vec<Flag>;
    /// Where the value of the flag `name` is kept.
    fn value(&mut self, name: &str) -> Option<&mut dyn Value>;
    /// The flag, not of a group, that a configuration calls `key`: its field with dashes. Gives the
    /// flag's name and where its value is kept.
    fn setting(&mut self, key: &str) -> Option<(&'static str, &mut dyn Value)>;
    /// Records that the command line gave the flag `name`; see [`Given`](super::given::Given).
    fn note(&mut self, name: &str);
}

/// One flag, for help texts, man pages and completions.
#[derive(Debug, Clone)]
pub struct Flag {
    /// Its name, without dashes.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it does: lines, each with a blank before it.
    pub help: &'static str,
    /// The default as help shows it; empty where there is nothing to say.
    pub default: String,
    /// Only `packmule COMMAND` has it, not `nncp-COMMAND`.
    pub own: bool,
}

impl Flag {
    /// What it does, in one line.
    pub fn summary(&self) -> String {
        self.help
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: it is on or off.
    Switch,
    /// Free text.
    Text,
    /// A path.
    Path,
    /// A neighbour, or several.
    Node,
    /// A niceness.
    Niceness,
    /// An integer.
    Integer,
    /// An integer that is not negative.
    Unsigned,
}

impl Kind {
    /// The type word of help texts, as Go prints it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Switch => "",
            Self::Text | Self::Path | Self::Node | Self::Niceness => "string",
            Self::Integer => "int",
            Self::Unsigned => "uint",
        }
    }
}

/// Why a flag's text is not a value. The words are Go's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not of the flag's type.
    #[error("parse error")]
    Syntax,
    /// An integer of more than 64 bits.
    #[error("value out of range")]
    Range,
}

/// The value of a flag.
pub trait Value {
    /// What the flag takes.
    fn kind(&self) -> Kind;
    /// Takes the text given on the command line.
    fn set(&mut self, text: &OsStr) -> Result<(), ValueError>;
    /// The value as help shows a default; empty for Go's zero values.
    fn shown(&self) -> String;
    /// Takes a list of words from a configuration. Tells whether the flag takes one.
    fn set_words(&mut self, _words: Vec<String>) -> bool {
        false
    }
}

impl Value for bool {
    fn kind(&self) -> Kind {
        Kind::Switch
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        *self = match text.to_str() {
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => true,
            Some("0" | "f" | "F" | "false" | "FALSE" | "False") => false,
            _ => return Err(ValueError::Syntax),
        };
        Ok(())
    }

    fn shown(&self) -> String {
        String::new()
    }
}

impl Value for i64 {
    fn kind(&self) -> Kind {
        Kind::Integer
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        *self = integer::signed(text.to_str().ok_or(ValueError::Syntax)?)?;
        Ok(())
    }

    fn shown(&self) -> String {
        if *self == 0 { String::new() } else { self.to_string() }
    }
}

impl Value for u64 {
    fn kind(&self) -> Kind {
        Kind::Unsigned
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        *self = integer::unsigned(text.to_str().ok_or(ValueError::Syntax)?)?;
        Ok(())
    }

    fn shown(&self) -> String {
        if *self == 0 { String::new() } else { self.to_string() }
    }
}

/// Free text; empty is as good as not given, as in the reference.
impl Value for Option<String> {
    fn kind(&self) -> Kind {
        Kind::Text
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        let text = text.to_str().ok_or(ValueError::Syntax)?;
        *self = (!text.is_empty()).then(|| text.into());
        Ok(())
    }

    fn shown(&self) -> String {
        self.as_ref().map(|text| format!("{text:?}")).unwrap_or_default()
    }
}

/// A path; empty is as good as not given.
impl Value for Option<PathBuf> {
    fn kind(&self) -> Kind {
        Kind::Path
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        *self = (!text.is_empty()).then(|| OsString::from(text).into());
        Ok(())
    }

    fn shown(&self) -> String {
        self.as_ref().map(|path| format!("{path:?}")).unwrap_or_default()
    }
}

/// A niceness as typed. It is understood only when the command runs: a wrong one is not a syntax
/// error of the command line (exit 1, not 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nice(String);

impl Nice {
    /// The default of a command.
    pub fn of(level: Niceness) -> Self {
        Self(level.to_string())
    }

    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The niceness it means.
    ///
    /// # Errors
    /// The text is none.
    pub fn level(&self) -> Result<Niceness, NotNice> {
        self.0.parse().map_err(|cause| NotNice { cause, text: self.0.clone() })
    }
}

/// A text that should be a niceness.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}: {text:?}; 1 to 255, or F, P, N, B or MAX, with a difference like P+5")]
pub struct NotNice {
    cause: ParseNicenessError,
    text: String,
}

impl Value for Nice {
    fn kind(&self) -> Kind {
        Kind::Niceness
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        self.0 = text.to_str().ok_or(ValueError::Syntax)?.into();
        Ok(())
    }

    fn shown(&self) -> String {
        format!("{:?}", self.0)
    }
}

/// One neighbour, or several with commas, as typed; absent when empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(pub Option<String>);

impl Names {
    /// The text, if there is any.
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl Value for Names {
    fn kind(&self) -> Kind {
        Kind::Node
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        self.0.set(text)
    }

    fn shown(&self) -> String {
        self.0.shown()
    }
}

/// A size in KiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kib(pub u64);

impl Kib {
    /// The size in bytes.
    pub fn bytes(self) -> u64 {
        self.0.saturating_mul(1024)
    }

    /// The size in bytes, if it is not 0.
    pub fn limit(self) -> Option<u64> {
        (self.0 != 0).then(|| self.bytes())
    }
}

impl Value for Kib {
    fn kind(&self) -> Kind {
        Kind::Unsigned
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        self.0.set(text)
    }

    fn shown(&self) -> String {
        self.0.shown()
    }
}

/// A size in KiB, or the neighbour's configured one when negative (the default).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KibOrConfigured(i64);

impl Default for KibOrConfigured {
    fn default() -> Self {
        Self(-1)
    }
}

impl KibOrConfigured {
    /// The size in bytes; `None` is the configured one.
    pub fn bytes(self) -> Option<u64> {
        u64::try_from(self.0).ok().map(|kib| Kib(kib).bytes())
    }
}

impl Value for KibOrConfigured {
    fn kind(&self) -> Kind {
        Kind::Integer
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        self.0.set(text)
    }

    fn shown(&self) -> String {
        self.0.shown()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    flags! {
        /// A group.
        struct Shared {
            /// Say more
            "debug" debug: bool;
        }
    }

    flags! {
        /// A command's flags.
        struct Args {
            use shared: Shared;
            /// Least urgent packets to take,
            /// as a niceness
            "nice" nice: Nice = Nice::of(Niceness::MAX);
            /// Padding
            "minsize" minsize: KibOrConfigured;
        }
    }

    #[test]
    fn one_list_makes_the_struct_and_the_help() {
        let lines: Vec<_> = Args::declared()
            .iter()
            .map(|f| format!("{} {:?} {} [{}]", f.name, f.kind, f.summary(), f.default))
            .collect();
        assert_eq!(
            lines,
            [
                "debug Switch Say more []",
                "nice Niceness Least urgent packets to take, as a niceness [\"MAX\"]",
                "minsize Integer Padding [-1]",
            ]
        );
    }

    #[test]
    fn values_go_where_they_were_declared() {
        let mut args = Args::default();
        args.value("debug").unwrap().set(OsStr::new("t")).unwrap();
        args.value("minsize").unwrap().set(OsStr::new("10")).unwrap();
        assert!(args.shared.debug);
        assert_eq!(args.minsize.bytes(), Some(10240));
        assert_eq!(args.nice.level(), Ok(Niceness::MAX));
        assert!(args.value("shared").is_none());
    }
}
