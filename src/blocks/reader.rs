//! Reads the payload of a packet, and reports its end only when the whole packet is authenticated.

use super::buffer::{Buffer, Left};
use super::open::{ReadError, State, read};
use packmule_protocol::packet::{Opener, PLAIN_LEN, PlainHeader};
use std::io::{self, Read, Write};

/// The payload of one packet.
pub(crate) struct PacketReader<'a, R> {
    source: R,
    state: State<'a>,
    plain: PlainHeader,
    /// The batch that was decrypted last; at first, the front.
    batch: Buffer,
    /// Number of its bytes that were read, including the plain header.
    given: usize,
    left: Left,
    /// A part of the packet was not authentic, so nothing more is returned.
    failed: bool,
}

impl<'a, R: Read + Send> PacketReader<'a, R> {
    /// Decrypts the first batch. `source` has the packet's bytes after the 172-byte header.
    ///
    /// # Errors
    /// If the source fails, or the first batch is not authentic.
    pub(crate) fn new(mut source: R, opener: &'a Opener) -> Result<Self, ReadError> {
        let mut state = State::Blocks { opener, opened: 0 };
        let mut batch = Buffer::new();
        let left = read(&mut source, &mut batch)?;
        state.open(&mut batch, left)?;
        let plain = PlainHeader::from_bytes(&batch[..batch.len().min(PLAIN_LEN)])?;
        Ok(Self { source, state, plain, batch, given: PLAIN_LEN, left, failed: false })
    }

    /// The plain header. It is authentic, but the rest of the packet may still prove truncated or
    /// altered. So the caller must not act on it before [`Self::copy_to`] or [`Self::verify`] has
    /// returned.
    pub(crate) fn plain(&self) -> &PlainHeader {
        &self.plain
    }

    /// The payload, if the packet is a single batch and therefore completely authenticated.
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        (self.left == Left::Nothing).then(|| self.front())
    }

    /// The start of the payload. The caller must not act on it, as for [`Self::plain`].
    pub(crate) fn front(&self) -> &[u8] {
        &self.batch[self.given..]
    }

    /// Decrypts the next batch. After a failure, returns an error for ever.
    fn next_batch(&mut self) -> Result<(), ReadError> {
        self.batch.clear();
        self.given = 0;
        let opened = read(&mut self.source, &mut self.batch).and_then(|left| {
            self.left = left;
            self.state.open(&mut self.batch, left)
        });
        if opened.is_err() {
            self.failed = true;
            self.batch.clear();
        }
        opened
    }

    /// Writes the payload to `sink` and returns its size.
    ///
    /// # Errors
    /// If the source or the sink fails, or any part of the packet is not authentic. The caller must
    /// then discard what `sink` got.
    pub(crate) fn copy_to(self, sink: &mut (impl Write + Send)) -> Result<u64, ReadError> {
        sink.write_all(self.front()).map_err(ReadError::Sink)?;
        let size = self.front().len() as u64;
        match self.left {
            Left::More => Ok(size + self.state.copy(self.source, sink)?),
            Left::Nothing => Ok(size),
        }
    }

    /// Authenticates the rest of the packet without decrypting it, for callers that need the
    /// payload later or not at all.
    ///
    /// # Errors
    /// If the source fails, or any part of the packet is not authentic.
    pub(crate) fn verify(self) -> Result<(), ReadError> {
        match self.left {
            Left::More => self.state.verify(self.source),
            Left::Nothing => Ok(()),
        }
    }
}

/// Writes plain header and payload to `sink` without parsing the header, and returns their size.
/// `source` has the packet's bytes after the 172-byte header.
///
/// # Errors
/// Those of [`PacketReader::copy_to`].
pub(crate) fn copy_plain(
    source: impl Read + Send,
    opener: &Opener,
    sink: &mut (impl Write + Send),
) -> Result<u64, ReadError> {
    State::Blocks { opener, opened: 0 }.copy(source, sink)
}

/// Reads the payload. Its end is reported only when the whole packet is authenticated; until then
/// the caller must not act on the data.
impl<R: Read + Send> Read for PacketReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.batch.len() {
            match self.left {
                _ if self.failed => return Err(io::Error::other("the packet could not be read")),
                Left::Nothing => return Ok(0),
                Left::More => self.next_batch().map_err(io::Error::other)?,
            }
        }
        let read = (&self.batch[self.given..]).read(buffer)?;
        self.given += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::{BATCH, Layer, Padding, SealError, seal};
    use packmule_protocol::id::{NodeId, PacketHash};
    use packmule_protocol::keys::{ExchangePrivate, SigningPrivate};
    use packmule_protocol::mth::BLOCK;
    use packmule_protocol::niceness::Niceness;
    use packmule_protocol::packet::open::open_whole;
    use packmule_protocol::packet::seal::{Recipient, Sender};
    use packmule_protocol::packet::{HEADER_LEN, Header, Kind, OpenError, SEALED_BLOCK, Sealer};
    use packmule_protocol::seed::Seed;
    use proptest::prelude::*;

    const ID: NodeId = NodeId([3; 32]);

    fn signing() -> SigningPrivate {
        SigningPrivate::from_seed(&[1; 32])
    }

    fn exchange() -> ExchangePrivate {
        ExchangePrivate::from_bytes([2; 32])
    }

    fn layer(plain: PlainHeader, padding: Padding) -> Layer {
        let signing = signing();
        let sender = Sender { id: signing.public().node_id(), key: &signing };
        let recipient = Recipient { id: ID, key: exchange().public() };
        let ephemeral = Seed::from_bytes([4; 32]);
        let sealer = Sealer::new(sender, recipient, Niceness::BULK, ephemeral).unwrap();
        Layer { sealer, plain, padding, named: true }
    }

    fn opener(packet: &[u8]) -> Opener {
        let verified = Header::parse(packet).unwrap().verify(&signing().public()).unwrap();
        Opener::new(&verified, &ID, &exchange()).unwrap()
    }

    fn sealed(payload: &[u8], wraps: u32, minimum: u64) -> Vec<u8> {
        let file = PlainHeader::new(Kind::File, None, *b"f").unwrap();
        let mut layers = vec![layer(file, Padding { minimum, layers: wraps + 1 })];
        for _ in 0..wraps {
            layers.push(layer(PlainHeader::trns(&ID), Padding::default()));
        }
        layers.last_mut().unwrap().named = false;
        let mut packet = Vec::new();
        let sealed = seal(payload, layers, u64::MAX, &mut packet).unwrap();
        assert_eq!(sealed.content, (payload.len() + PLAIN_LEN) as u64);
        assert_eq!(sealed.names.len(), wraps as usize);
        check_names(&sealed.names, &packet);
        packet
    }

    /// The names of the inner layers, innermost first, are those of the packets in one another.
    fn check_names(names: &[PacketHash], packet: &[u8]) {
        let mut packet = packet.to_vec();
        for (depth, name) in names.iter().rev().enumerate() {
            packet = read(&packet).unwrap();
            assert_eq!(name.0, packmule_protocol::mth::hash(&packet), "{depth}");
        }
    }

    fn read(packet: &[u8]) -> Result<Vec<u8>, ReadError> {
        let opener = opener(packet);
        let reader = || PacketReader::new(&packet[HEADER_LEN..], &opener);
        let mut payload = Vec::new();
        let copied = reader()?.copy_to(&mut payload);
        // Verification must come to the same result.
        let verified = reader()?.verify();
        assert_eq!(
            format!("{:?}", copied.as_ref().map(|_| ())),
            format!("{:?}", verified.as_ref())
        );
        copied.map(|_| payload)
    }

    #[test]
    fn too_much_content_is_refused() {
        let file = PlainHeader::new(Kind::File, None, *b"f").unwrap();
        let layers = vec![layer(file, Padding::default())];
        let error = seal(&[0; 100][..], layers, 375, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, SealError::TooBig(_)));
    }

    #[test]
    fn a_full_tail_block_in_the_batch_of_the_size_block_comes_out_right() {
        let payload = vec![9; 2 * BLOCK - PLAIN_LEN - 3];
        let packet = sealed(&payload, 0, 600_000);
        assert_eq!(read(&packet).unwrap(), payload);
    }

    #[test]
    fn a_packet_cut_between_two_batches_is_cut() {
        let packet = sealed(&vec![9; 5 << 20], 0, 0);
        let cut = &packet[..HEADER_LEN + 2 * BATCH * SEALED_BLOCK];
        assert!(matches!(read(cut), Err(ReadError::Packet(OpenError::Truncated))));
        let mut longer = packet.clone();
        longer.extend_from_slice(&packet);
        assert!(read(&longer).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_goes_in_comes_out_of_every_layer(
            len in prop_oneof![0_usize..400_000, Just(4 << 20), (16 * BLOCK - 20)..(16 * BLOCK + 20)],
            cut in 0_usize..600,
            wraps in 0_u32..3,
            minimum in prop_oneof![Just(0), 0_u64..700_000, Just(5 << 20)],
        ) {
            let payload: Vec<u8> = (0..len.saturating_sub(cut)).map(|i| (i % 251) as u8).collect();
            let mut packet = sealed(&payload, wraps, minimum);
            prop_assert!(packet.len() as u64 >= minimum);
            for _ in 0..wraps {
                let opened = open_whole(&opener(&packet), &packet).unwrap();
                prop_assert_eq!(&read(&packet).unwrap(), &opened[PLAIN_LEN..]);
                packet = opened[PLAIN_LEN..].to_vec();
            }
            prop_assert_eq!(read(&packet).unwrap(), payload);
        }

        #[test]
        fn one_flipped_bit_or_a_cut_in_any_batch_is_noticed(
            at: proptest::sample::Index,
            bit in 0_u8..8,
            minimum in prop_oneof![Just(0), Just(9 << 20)],
        ) {
            let mut packet = sealed(&vec![9; (5 << 20) - 19], 0, minimum);
            let at = HEADER_LEN + at.index(packet.len() - HEADER_LEN);
            prop_assert!(read(&packet[..at]).is_err());
            packet[at] ^= 1 << bit;
            prop_assert!(read(&packet).is_err());
        }
    }

    #[test]
    fn its_end_stays_the_end() {
        let batch = BATCH * BLOCK;
        for len in [0, 1, BLOCK, batch - PLAIN_LEN, batch, batch + 1, 2 * batch] {
            let payload = vec![9; len];
            let packet = sealed(&payload, 0, 0);
            let opener = opener(&packet);
            let reader = PacketReader::new(&packet[HEADER_LEN..], &opener).unwrap();
            assert!(super::super::ends_for_good(reader) == payload, "{len}");
        }
    }

    #[test]
    fn after_an_altered_block_it_gives_nothing_and_has_no_end() {
        let mut packet = sealed(&vec![9; 5 << 20], 0, 0);
        let last = packet.len() - 1;
        packet[last] ^= 1;
        let opener = opener(&packet);
        let mut reader = PacketReader::new(&packet[HEADER_LEN..], &opener).unwrap();
        assert!(reader.read_to_end(&mut Vec::new()).is_err());
        for _ in 0..3 {
            assert!(reader.read(&mut [0; 99]).is_err());
        }
    }
}
