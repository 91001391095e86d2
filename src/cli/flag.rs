//! Flags: declared once, as the fields of a struct.
//!
//! `flags!` turns a list of names, types and defaults into the struct a command receives. The
//! parser fills it, and help, man pages and completions read the same list.

use super::value::{Kind, Value};
use std::borrow::Cow;

/// Declares a struct of flags.
///
/// Each flag has its help text as a doc comment, then its name, field, type, and a default unless it
/// is the type's. `use field: Struct;` lines at the top include shared groups. `own` before a name
/// hides a flag from the command's `nncp-` name, which has only the reference's flags.
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
                #[allow(unused_variables, reason = "a struct of groups may have no flags")]
                let defaults = Self::default();
                let groups: &[Vec<$crate::cli::flag::Flag>] =
                    &[$(<$group_type as $crate::cli::flag::Flags>::declared()),*];
                let own: &[$crate::cli::flag::Flag] = &[$($crate::cli::flag::Flag {
                    name: ::std::borrow::Cow::Borrowed($flag),
                    kind: $crate::cli::value::Value::kind(&defaults.$field),
                    help: ::std::borrow::Cow::Borrowed(concat!($($help, "\n"),+)),
                    default: $crate::cli::value::Value::shown(&defaults.$field),
                    own: flags!(@own $($own)?),
                }),*];
                [groups.concat().as_slice(), own].concat()
            }

            #[allow(unused_variables, reason = "a struct may be empty")]
            fn value(&mut self, name: &str) -> Option<&mut dyn $crate::cli::value::Value> {
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
            ) -> Option<(&'static str, &mut dyn $crate::cli::value::Value)> {
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

/// A struct of flags. `flags!` implements it.
pub(crate) trait Flags: Default {
    /// All flags, those of shared groups first.
    fn declared() -> Vec<Flag>;
    /// The field that holds the value of the flag `name`.
    fn value(&mut self, name: &str) -> Option<&mut dyn Value>;
    /// The flag that a configuration calls `key`: its field's name, with dashes. Returns the flag's
    /// name and the field that holds its value. Flags of groups have no key.
    fn setting(&mut self, key: &str) -> Option<(&'static str, &mut dyn Value)>;
    /// Records that the command line gave the flag `name`; see [`Given`](super::given::Given).
    fn note(&mut self, name: &str);
}

/// One flag, for help texts, man pages and completions.
#[derive(Debug, Clone)]
pub(crate) struct Flag {
    /// Its name, without dashes.
    pub name: Cow<'static, str>,
    /// The kind of its value.
    pub kind: Kind,
    /// Its help text: lines that each begin with a blank.
    pub help: Cow<'static, str>,
    /// The default as help shows it; empty if help shows none.
    pub default: String,
    /// Only `packmule COMMAND` has it, not `nncp-COMMAND`.
    pub own: bool,
}

impl Flag {
    /// Its help text on one line.
    pub(crate) fn summary(&self) -> String {
        self.help
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::kib::KibOrConfigured;
    use super::super::nice::Nice;
    use super::*;
    use packmule_protocol::niceness::Niceness;
    use std::ffi::OsStr;

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
