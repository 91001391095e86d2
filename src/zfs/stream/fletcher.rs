//! Fletcher-4: four running sums over 32-bit words. It detects accidental damage, not forgery.

use super::order::ByteOrder;

/// The running checksum of a stream. Reset at each BEGIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fletcher4 {
    order: ByteOrder,
    sums: [u64; 4],
    /// The bytes of an incomplete word.
    tail: [u8; 4],
    tail_len: usize,
}

impl Fletcher4 {
    /// The sums of an empty stream of this byte order.
    pub fn new(order: ByteOrder) -> Self {
        Self { order, sums: [0; 4], tail: [0; 4], tail_len: 0 }
    }

    /// The sums a, b, c and d.
    pub fn sums(&self) -> [u64; 4] {
        self.sums
    }

    /// Adds data, which may end in the middle of a word.
    pub fn update(&mut self, mut data: &[u8]) {
        if self.tail_len > 0 {
            let taken = data.len().min(4 - self.tail_len);
            self.tail[self.tail_len..self.tail_len + taken].copy_from_slice(&data[..taken]);
            self.tail_len += taken;
            data = &data[taken..];
            if self.tail_len < 4 {
                return;
            }
            let word = self.tail;
            self.words(&word);
            self.tail_len = 0;
        }
        let (whole, rest) = data.split_at(data.len() & !3);
        self.words(whole);
        self.tail[..rest.len()].copy_from_slice(rest);
        self.tail_len = rest.len();
    }

    /// Ends a block that is summed on its own. Discards an incomplete word at its end.
    pub fn drop_tail(&mut self) {
        self.tail_len = 0;
    }

    fn words(&mut self, data: &[u8]) {
        self.sums = match self.order {
            ByteOrder::Little => sum(self.sums, data, u32::from_le_bytes),
            ByteOrder::Big => sum(self.sums, data, u32::from_be_bytes),
        };
    }
}

#[inline(always)]
fn sum([mut a, mut b, mut c, mut d]: [u64; 4], data: &[u8], word: fn([u8; 4]) -> u32) -> [u64; 4] {
    for chunk in data.as_chunks::<4>().0 {
        a = a.wrapping_add(u64::from(word(*chunk)));
        b = b.wrapping_add(a);
        c = c.wrapping_add(b);
        d = d.wrapping_add(c);
    }
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(order: ByteOrder, data: &[u8], want: [u64; 4]) {
        let mut whole = Fletcher4::new(order);
        whole.update(data);
        assert_eq!(whole.sums(), want);
        let mut pieces = Fletcher4::new(order);
        for piece in data.chunks(3) {
            pieces.update(piece);
        }
        assert_eq!(pieces.sums(), want, "in pieces");
    }

    #[test]
    fn the_sums_are_those_of_zfs() {
        let ramp: Vec<u8> = (0..16).collect();
        check(ByteOrder::Little, &ramp, [0x2420_1c18, 0x463c_3228, 0x7864_503c, 0xbd9a_7754]);
        check(ByteOrder::Big, &ramp, [0x181c_2024, 0x2832_3c46, 0x3c50_6478, 0x5477_9abd]);
        let ones =
            [0x3ff_ffff_fc00, 0x0008_01ff_fff7_fe00, 0x0ab2_abff_f54d_5400, 0xbab2_00f5_454d_ff00];
        check(ByteOrder::Little, &[0xff; 4096], ones);
    }

    #[test]
    fn a_tail_is_not_counted() {
        let mut sums = Fletcher4::new(ByteOrder::Little);
        sums.update(&[1, 0, 0, 0, 9]);
        sums.drop_tail();
        sums.update(&[1, 0, 0, 0]);
        assert_eq!(sums.sums(), [2, 3, 4, 5]);
    }
}
