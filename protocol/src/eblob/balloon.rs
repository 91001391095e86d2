//! Balloon hashing over BLAKE2b-256 in the reference's variant: 64-bit big-endian counters, the
//! job's number appended to the salt, three neighbours, and a final hash over the sum of all jobs.

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use zeroize::Zeroizing;

/// Limit for the memory of all jobs together, in blocks: 1 GiB.
const MAX_SPACE: u64 = 1 << 25;
/// Limit for the number of jobs.
const MAX_PARALLEL: u32 = 1 << 16;
/// Limit for the number of hashed blocks, over all rounds and jobs: a thousand times the default.
const MAX_WORK: u64 = 1_000 * 32_768 * 16 * 2;

/// 32 bytes, the unit of a job's memory.
pub type Block = [u8; 32];

/// The cost of trying one passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory per job, in blocks of 32 bytes.
    pub space: u32,
    /// Number of rounds over that memory.
    pub time: u32,
    /// Number of independent jobs.
    pub parallel: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { space: 32_768, time: 16, parallel: 2 }
    }
}

impl Cost {
    pub(super) fn is_sane(self) -> bool {
        let memory = u64::from(self.space) * u64::from(self.parallel);
        let work = memory.saturating_mul(u64::from(self.time));
        work > 0 && self.parallel <= MAX_PARALLEL && memory <= MAX_SPACE && work <= MAX_WORK
    }
}

/// One of the jobs that derive a key. They are independent, so they can run in parallel.
pub struct Job<'a> {
    passphrase: &'a [u8],
    salt: Vec<u8>,
    cost: Cost,
}

impl Job<'_> {
    /// Runs the job.
    pub fn run(&self) -> Zeroizing<Block> {
        job(self.passphrase, &self.salt, self.cost)
    }
}

/// The jobs that derive a key. The caller must have checked the cost.
pub(super) fn jobs<'a>(passphrase: &'a [u8], salt: &Block, cost: Cost) -> Vec<Job<'a>> {
    let job =
        |number: u64| Job { passphrase, salt: [&salt[..], &number.to_be_bytes()].concat(), cost };
    (0..u64::from(cost.parallel)).map(job).collect()
}

/// Derives the key of `passphrase` and `salt` from the results of all jobs, in any order.
pub(super) fn key(
    passphrase: &[u8],
    salt: &Block,
    results: &[Zeroizing<Block>],
) -> Zeroizing<Block> {
    let mut sum = Zeroizing::new(Block::default());
    for result in results {
        sum.iter_mut().zip(result.iter()).for_each(|(sum, byte)| *sum ^= byte);
    }
    let mut key = Blake2b::<U32>::new();
    [passphrase, salt, &sum[..]].iter().for_each(|part| key.update(part));
    Zeroizing::new(key.finalize().into())
}

/// The last block of a job.
fn job(passphrase: &[u8], salt: &[u8], cost: Cost) -> Zeroizing<Block> {
    let mut count = 0_u64;
    let mut hash = |parts: &[&[u8]]| -> Block {
        let mut hash = Blake2b::<U32>::new();
        hash.update(count.to_be_bytes());
        parts.iter().for_each(|part| hash.update(part));
        count += 1;
        hash.finalize().into()
    };
    let space = cost.space as usize;
    let mut memory = Zeroizing::new(vec![Block::default(); space]);
    memory[0] = hash(&[passphrase, salt]);
    for m in 1..space {
        memory[m] = hash(&[&memory[m - 1]]);
    }
    for t in 0..u64::from(cost.time) {
        for m in 0..space {
            let before = memory[(m + space - 1) % space];
            memory[m] = hash(&[&before, &memory[m]]);
            for i in 0..3_u64 {
                let place =
                    [&t.to_be_bytes()[..], &(m as u64).to_be_bytes(), &i.to_be_bytes()].concat();
                let other = remainder(&hash(&[salt, &place]), cost.space);
                memory[m] = hash(&[&memory[m], &memory[other]]);
            }
        }
    }
    Zeroizing::new(memory[space - 1])
}

/// The remainder of a 256-bit big-endian number divided by `space`.
fn remainder(number: &Block, space: u32) -> usize {
    let space = u64::from(space);
    let rest = number.chunks_exact(4).fold(0, |rest, word| {
        let word = u32::from_be_bytes(word.try_into().expect("chunks of 4"));
        ((rest << 32) | u64::from(word)) % space
    });
    usize::try_from(rest).expect("below a u32")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(passphrase: &str, space: u32, time: u32, parallel: u32, want: &str) {
        let salt = std::array::from_fn(|n| n as u8);
        let cost = Cost { space, time, parallel };
        let jobs = jobs(passphrase.as_bytes(), &salt, cost);
        let results: Vec<_> = jobs.iter().map(Job::run).collect();
        let key = key(passphrase.as_bytes(), &salt, &results);
        assert_eq!(data_encoding::HEXLOWER.encode(&*key), want);
    }

    /// Keys of blobs that the reference opens.
    #[test]
    fn the_reference_s_keys() {
        check("pass", 1, 1, 1, "544044f6f95880fcbcac97c8a639b24f60780ca8d091808496b4bfc12ae4d8da");
        check("pass", 4, 1, 1, "28b4abd9d199ae015b98f1da88f8d3c9fc45af3e115ea1e87969e3bce75e6d5c");
        check("pass", 3, 1, 2, "d84b243848c2ce1ddd002c54dfcf573a6949136285729e789a96b7182a40d47e");
        check("pass", 5, 2, 2, "d0adc38e3f1fa80f2056b5d50e7f4cfcfef2e9dcab35ebfcdafd75bb1b6e7eeb");
        check("pass", 16, 3, 1, "c97605e697cb3e0a08b55cb147dd4a7f9d185efd3ed82f4663e53c8738d46923");
        check(
            "pass",
            100,
            1,
            3,
            "0e23c14317d7ce76e64dd8ab7f5b2b41a3d774f6d048fd28d38f2e008cf198eb",
        );
        check("", 7, 1, 1, "baecff18152d3c777d746c0a449903e17bf3210f92f1a2fe49f20a0428770326");
        check(
            "pass",
            32_768,
            16,
            2,
            "35a1789f91ac3ab01938e1118f00436f26067b0c5afb5d98326f90767364d306",
        );
    }

    #[test]
    fn the_remainder_is_that_of_the_whole_number() {
        let mut number = Block::default();
        number[31] = 200;
        assert_eq!(remainder(&number, 7), 200 % 7);
        number[0] = 1; // 2^248, and 2^3 is 1 modulo 7, so 2^248 is 4
        assert_eq!(remainder(&number, 7), (4 + 200) % 7);
    }
}
