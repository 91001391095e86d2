//! The CRC of POSIX cksum(1).

/// Polynomial 0x04C11DB7, most significant bit first, eight bytes at a time: `TABLES[k][b]` is
/// the register after byte `b` and `k` zero bytes.
static TABLES: [[u32; 256]; 8] = tables();

/// A checksum in progress.
#[derive(Clone, Debug, Default)]
pub(super) struct Cksum {
    register: u32,
    length: u64,
}

impl Cksum {
    /// Adds content.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.length = self.length.wrapping_add(bytes.len() as u64);
        let (eights, rest) = bytes.as_chunks::<8>();
        for eight in eights {
            let [a, b, c, d] = self.register.to_be_bytes();
            self.register = TABLES[7][usize::from(eight[0] ^ a)]
                ^ TABLES[6][usize::from(eight[1] ^ b)]
                ^ TABLES[5][usize::from(eight[2] ^ c)]
                ^ TABLES[4][usize::from(eight[3] ^ d)]
                ^ TABLES[3][usize::from(eight[4])]
                ^ TABLES[2][usize::from(eight[5])]
                ^ TABLES[1][usize::from(eight[6])]
                ^ TABLES[0][usize::from(eight[7])];
        }
        for byte in rest {
            self.push(*byte);
        }
    }

    /// The checksum: POSIX appends the length, least significant byte first, and complements.
    pub(super) fn finish(mut self) -> u32 {
        let mut length = self.length;
        while length > 0 {
            self.push(length.to_le_bytes()[0]);
            length >>= 8;
        }
        !self.register
    }

    fn push(&mut self, byte: u8) {
        let [top, ..] = self.register.to_be_bytes();
        self.register = (self.register << 8) ^ TABLES[0][usize::from(top ^ byte)];
    }
}

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut register = (byte as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            let carry = register & 0x8000_0000 != 0;
            register = (register << 1) ^ if carry { 0x04C1_1DB7 } else { 0 };
            bit += 1;
        }
        tables[0][byte] = register;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before: u32 = tables[table - 1][byte];
            tables[table][byte] = (before << 8) ^ tables[0][(before >> 24) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_values_of_posix() {
        let check = |bytes: &[u8], want| {
            let mut cksum = Cksum::default();
            cksum.update(bytes);
            assert_eq!(cksum.finish(), want);
        };
        check(b"", 4_294_967_295);
        check(b"123456789", 930_766_865);
        check(b"hi\n", 1_479_881_546);
    }

    #[test]
    fn pieces_of_any_length_give_the_same_sum() {
        let content: Vec<u8> = (0..1000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut whole = Cksum::default();
        whole.update(&content);
        let mut pieces = Cksum::default();
        for piece in content.chunks(7) {
            pieces.update(piece);
        }
        assert_eq!(whole.finish(), pieces.finish());
    }
}
