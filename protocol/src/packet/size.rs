//! Lengths of packets, and the padding that brings a packet to a length. All sizes are in bytes.

use super::{HEADER_LEN, PLAIN_LEN, SEALED_BLOCK, TAG};
use crate::mth::BLOCK;

/// Length of the SIZE structure: the plain length and the padding, a `u64` each.
pub const SIZE_LEN: usize = 16;

/// Length of `plain` bytes (plain header and payload) and SIZE, encrypted in blocks.
fn with_tags(plain: u64) -> u64 {
    let content = plain.saturating_add(SIZE_LEN as u64);
    content.saturating_add(content.div_ceil(BLOCK as u64).saturating_mul(TAG as u64))
}

/// Length of a packet with `plain` bytes of content and `padding`.
pub fn packet_len(plain: u64, padding: u64) -> u64 {
    with_tags(plain).saturating_add(HEADER_LEN as u64).saturating_add(padding)
}

/// Length of a packet with a payload of `payload` bytes, encrypted in `layers` layers.
fn wrapped_len(payload: u64, layers: u32) -> u64 {
    (0..layers).fold(payload, |len, _| packet_len(len.saturating_add(PLAIN_LEN as u64), 0))
}

/// The padding of the innermost packet that brings the outermost one to the length `minimum`.
///
/// `plain` is the length of the innermost packet's content; `layers` is the number of times that it
/// is encrypted, including its own encryption.
pub fn padding(plain: u64, minimum: u64, layers: u32) -> u64 {
    minimum.saturating_sub(wrapped_len(plain.saturating_sub(PLAIN_LEN as u64), layers))
}

/// The payload size that the reference logs for a received packet of `len` bytes. It counts padding
/// as payload, and estimates the overhead from the number of blocks.
pub fn logged_payload(len: u64) -> u64 {
    let overhead = (HEADER_LEN + PLAIN_LEN + SIZE_LEN) as u64;
    let rest = len.saturating_sub(overhead);
    let (full, partial) = (rest / SEALED_BLOCK as u64, rest % SEALED_BLOCK as u64);
    rest.saturating_sub(TAG as u64 * (full + u64::from(partial != 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_the_references() {
        for (payload, want) in [
            (0, 480),
            (1, 481),
            (130_780, 131_260),
            (130_781, 131_277),
            (130_796, 131_292),
            (131_072, 131_568),
            (261_852, 262_348),
            (261_853, 262_365),
        ] {
            assert_eq!(packet_len(payload + 276, 0), want, "{payload}");
        }
    }

    /// spec 19.4: payload, minimum, via nodes, padding of the innermost packet.
    #[test]
    fn paddings_are_the_references() {
        for (payload, minimum, via, want) in [
            (0, 1024, 0, 544),
            (5, 2048, 0, 1563),
            (1000, 307_200, 0, 305_720),
            (131_072, 307_200, 0, 175_632),
            (0, 1024, 1, 64),
            (5, 2048, 1, 1083),
            (131_072, 307_200, 1, 175_136),
            (0, 1024, 2, 0),
            (1000, 307_200, 2, 304_760),
            (131_072, 307_200, 2, 174_640),
        ] {
            assert_eq!(padding(payload + 276, minimum, via + 1), want, "{payload} {minimum} {via}");
        }
    }

    #[test]
    fn logged_sizes_are_the_references() {
        assert_eq!(logged_payload(packet_len(276 + 5, 0)), 5);
        assert_eq!(logged_payload(204_800), 204_304);
        assert_eq!(logged_payload(3), 0);
    }

    #[test]
    fn absurd_sizes_do_not_overflow() {
        assert_eq!(packet_len(u64::MAX, u64::MAX), u64::MAX);
        assert_eq!(padding(u64::MAX, u64::MAX, 9), 0);
    }
}
