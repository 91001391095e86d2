//! The kinds of packets: one row of a table each. NNCP manual, "Plain packet".

/// Makes the enum and its table from one row per kind: the number in packets, and the [`Row`].
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $number:literal: $row:expr;)+) => {
        /// The kind of a packet: what it asks its recipient to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[doc = $doc])+ $kind = $number,)+
        }

        impl Kind {
            /// All kinds, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The properties of the kind.
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$kind => const { &$row },)+
                }
            }

            /// Its bit in a set.
            const fn bit(self) -> u64 {
                $(const { assert!($number < u64::BITS, "a set has a bit for each kind") };)+
                1 << self as u8
            }
        }
    };
}

kinds! {
    /// Store the payload under the path.
    File = 1: Row {
        name: "file",
        title: "file",
        packets: "file packets",
        short: "files",
        path: PathField::Path,
        in_area: true,
    };
    /// Send the file at the path. The payload is the path under which it is to be stored.
    Freq = 2: Row {
        name: "freq",
        title: "file request",
        packets: "file request packets",
        short: "file requests",
        path: PathField::Path,
        in_area: false,
    };
    /// Run the handle in the path. The payload, Zstandard-compressed, is its standard input.
    Exec = 3: EXEC;
    /// Forward the payload, an encrypted packet, to the node in the path.
    Trns = 4: Row {
        name: "trns",
        title: "transitional",
        packets: "transitional packets",
        short: "transitional packets",
        path: PathField::Node,
        in_area: false,
    };
    /// As [`Kind::Exec`], but the payload is not compressed.
    ExecFat = 5: Row { title: "exec uncompressed", ..EXEC };
    /// A message of the area in the path; the payload is a packet encrypted for the area.
    Area = 6: Row {
        name: "area",
        title: "area",
        packets: "area packets",
        short: "area packets",
        path: PathField::Area,
        in_area: false,
    };
    /// The packet in the path has arrived.
    Ack = 7: Row {
        name: "ack",
        title: "acknowledgement",
        packets: "acknowledgement packets",
        short: "acknowledgements",
        path: PathField::Packet,
        in_area: false,
    };
}

/// The row of both kinds of commands.
const EXEC: Row = Row {
    name: "exec",
    title: "exec compressed",
    packets: "exec packets",
    short: "commands",
    path: PathField::Command,
    in_area: true,
};

/// The properties of a kind, in the reference's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its name in flags (`-nofile`), configuration keys (`autotoss-nofile`) and the log. Kinds
    /// that one flag leaves in the queue have the same name.
    pub name: &'static str,
    /// The name of the kind in the output of `nncp-pkt`.
    pub title: &'static str,
    /// The name of its packets in the help of `nncp-toss`.
    pub packets: &'static str,
    /// The name of its packets in the help of commands that call and toss.
    pub short: &'static str,
    /// The content of the path field.
    pub path: PathField,
    /// True if it is allowed within an area message. The reference also accepts trns and ack there,
    /// which have no meaning within an area.
    pub in_area: bool,
}

/// The content of a packet's path field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathField {
    /// A path.
    Path,
    /// A handle and its arguments, separated by NUL.
    Command,
    /// The id of a node.
    Node,
    /// The id of an area.
    Area,
    /// The hash of a packet.
    Packet,
}

impl Row {
    /// One row per name, in the order of the numbers.
    pub fn named() -> impl Iterator<Item = &'static Self> {
        let is_first = |(at, row): &(usize, &Self)| {
            Kind::ALL[..*at].iter().all(|earlier| earlier.row().name != row.name)
        };
        Kind::ALL.iter().map(|kind| kind.row()).enumerate().filter(is_first).map(|(_, row)| row)
    }
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kinds(
    /// One bit per kind, at the position of its number.
    u64,
);

impl Kinds {
    /// All kinds.
    pub const ALL: Self = Self::of(Kind::ALL);

    /// The set of these kinds.
    pub const fn of(mut kinds: &[Kind]) -> Self {
        let mut bits = 0;
        while let [first, rest @ ..] = kinds {
            bits |= first.bit();
            kinds = rest;
        }
        Self(bits)
    }

    /// The kinds whose names are chosen.
    pub fn named(mut is_chosen: impl FnMut(&'static str) -> bool) -> Self {
        let mut chosen = Self::default();
        for row in Row::named().filter(|row| is_chosen(row.name)) {
            let same = Kind::ALL.iter().filter(|kind| kind.row().name == row.name);
            chosen = same.fold(chosen, |chosen, kind| chosen.union(Self::of(&[*kind])));
        }
        chosen
    }

    /// The kinds in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The kinds in this set that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// True if the set contains the kind.
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & kind.bit() != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_references_and_exec_stands_for_both_of_its_kinds() {
        let names: Vec<_> = Row::named().map(|row| row.name).collect();
        assert!(names.starts_with(&["file", "freq", "exec", "trns", "area", "ack"]), "{names:?}");
        let exec = Kinds::named(|name| name == "exec");
        assert_eq!(exec, Kinds::of(&[Kind::Exec, Kind::ExecFat]));
        assert_eq!(Kinds::named(|_| true), Kinds::ALL);
    }

    #[test]
    fn a_set_has_what_was_put_into_it() {
        let (file, acks) = (Kinds::of(&[Kind::File]), Kinds::of(&[Kind::Ack]));
        for kind in Kind::ALL {
            let is_either = matches!(kind, Kind::File | Kind::Ack);
            assert_eq!(file.union(acks).contains(*kind), is_either, "{kind:?}");
            assert_eq!(Kinds::ALL.without(acks).contains(*kind), *kind != Kind::Ack, "{kind:?}");
            assert!(!Kinds::default().contains(*kind), "{kind:?}");
        }
    }
}
