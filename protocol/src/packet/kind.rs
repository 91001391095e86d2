//! The kinds of packets: one row of a table each. NNCP manual, "Plain packet".

/// Makes the enum and the table of it from one row a kind: its number on the wire, and its [`Row`].
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $number:literal: $row:expr;)+) => {
        /// What a packet asks for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[doc = $doc])+ $kind = $number,)+
        }

        impl Kind {
            /// All kinds, by their numbers.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// What is known of the kind.
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
    /// Send the file at the path; the payload is the name to send it under.
    Freq = 2: Row {
        name: "freq",
        title: "file request",
        packets: "file request packets",
        short: "file requests",
        path: PathField::Path,
        in_area: false,
    };
    /// Run the handle in the path with the payload, Zstandard-compressed, on its standard input.
    Exec = 3: EXEC;
    /// Pass the payload, an encrypted packet, on to the node in the path.
    Trns = 4: Row {
        name: "trns",
        title: "transitional",
        packets: "transitional packets",
        short: "transitional packets",
        path: PathField::Node,
        in_area: false,
    };
    /// Like [`Kind::Exec`], the payload as it is.
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
    /// The packet named in the path arrived.
    Ack = 7: Row {
        name: "ack",
        title: "acknowledgement",
        packets: "acknowledgement packets",
        short: "acknowledgements",
        path: PathField::Packet,
        in_area: false,
    };
}

/// Both kinds of commands.
const EXEC: Row = Row {
    name: "exec",
    title: "exec compressed",
    packets: "exec packets",
    short: "commands",
    path: PathField::Command,
    in_area: true,
};

/// What is known of a kind, in the reference's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its name in flags (`-nofile`), configuration keys (`autotoss-nofile`) and the log. Kinds that
    /// are left in the queue together have the same name.
    pub name: &'static str,
    /// What `nncp-pkt` calls a packet of this kind.
    pub title: &'static str,
    /// What the help of `nncp-toss` calls packets with this name.
    pub packets: &'static str,
    /// What the help of calls that toss calls them.
    pub short: &'static str,
    /// What the path field holds.
    pub path: PathField,
    /// Whether it may be a message of an area. The reference also relays trns and chokes on acks
    /// found there; neither has a meaning inside an area.
    pub in_area: bool,
}

/// What the path field of a packet holds.
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
    /// One row for each name, in the order of the numbers.
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
    /// One bit for each kind: that of its number.
    u64,
);

impl Kinds {
    /// All kinds.
    pub const ALL: Self = Self::of(Kind::ALL);

    /// These kinds.
    pub const fn of(mut kinds: &[Kind]) -> Self {
        let mut bits = 0;
        while let [first, rest @ ..] = kinds {
            bits |= first.bit();
            kinds = rest;
        }
        Self(bits)
    }

    /// The kinds whose name is chosen.
    pub fn named(mut is_chosen: impl FnMut(&'static str) -> bool) -> Self {
        let mut chosen = Self::default();
        for row in Row::named().filter(|row| is_chosen(row.name)) {
            let same = Kind::ALL.iter().filter(|kind| kind.row().name == row.name);
            chosen = same.fold(chosen, |chosen, kind| chosen.union(Self::of(&[*kind])));
        }
        chosen
    }

    /// The kinds of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The kinds that are not in the other set.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether a kind is in the set.
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
