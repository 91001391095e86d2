//! The kinds of packets. NNCP manual, "Plain packet".

/// What a packet asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Store the payload under the path.
    File = 1,
    /// Send the file at the path; the payload is the name to send it under.
    Freq = 2,
    /// Run the handle in the path with the payload, Zstandard-compressed, on its standard input.
    Exec = 3,
    /// Pass the payload, an encrypted packet, on to the node in the path.
    Trns = 4,
    /// Like [`Kind::Exec`], the payload as it is.
    ExecFat = 5,
    /// A message of the area in the path; the payload is a packet encrypted for the area.
    Area = 6,
    /// The packet named in the path arrived.
    Ack = 7,
}

impl Kind {
    /// All kinds, by their numbers.
    pub const ALL: [Self; 7] =
        [Self::File, Self::Freq, Self::Exec, Self::Trns, Self::ExecFat, Self::Area, Self::Ack];
}
