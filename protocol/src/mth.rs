//! MTH, the Merkle tree hash that names packets and verifies chunks. NNCP manual, "MTH".
//!
//! ```text
//! leaf(b)    = BLAKE3 keyed_hash(hash("NNCP MTH LEAF"), b)         b: 128 KiB, the last may be less
//! node(l, r) = BLAKE3 keyed_hash(hash("NNCP MTH NODE"), l || r)
//! ```
//!
//! Leaves are joined in pairs from the left. A value without a partner moves up unchanged, except
//! that a single leaf is its own partner. A leaf depends only on its own block. So leaves can be
//! hashed on all cores, and after a resumed download the end of a file can be hashed before its
//! start.
//!
//! ```
//! use packmule_protocol::id::PacketHash;
//! use packmule_protocol::mth::{BLOCK, Hasher, Tree, hash, leaf};
//!
//! let bytes = vec![7; 3 * BLOCK + 1];
//!
//! // In pieces of any size.
//! let mut hasher = Hasher::new();
//! bytes.chunks(1000).for_each(|piece| hasher.update(piece));
//! assert_eq!(hasher.finish(), hash(&bytes));
//!
//! // The back before the front, block by block.
//! let (mut front, mut back) = (Tree::default(), Tree::starting_at(2));
//! bytes.chunks(BLOCK).skip(2).for_each(|block| back.push(leaf(block)));
//! bytes.chunks(BLOCK).take(2).for_each(|block| front.push(leaf(block)));
//! front.append(back);
//! assert_eq!(front.root(), hash(&bytes));
//!
//! // A packet's name is the hash of all its bytes.
//! assert_eq!(PacketHash(hash(&bytes)).to_string().len(), 52);
//! ```

use std::sync::LazyLock;

/// Size of a leaf, and of a block of an encrypted packet, in bytes.
pub const BLOCK: usize = 128 * 1024;

/// The hash of a leaf, a node or the whole tree.
pub type Digest = [u8; 32];

static LEAF_KEY: LazyLock<Digest> = LazyLock::new(|| *blake3::hash(b"NNCP MTH LEAF").as_bytes());
static NODE_KEY: LazyLock<Digest> = LazyLock::new(|| *blake3::hash(b"NNCP MTH NODE").as_bytes());

/// The BLAKE3 keys of leaves and of nodes.
pub fn keys() -> (Digest, Digest) {
    (*LEAF_KEY, *NODE_KEY)
}

/// The hash of one block of at most [`BLOCK`] bytes.
pub fn leaf(block: &[u8]) -> Digest {
    debug_assert!(block.len() <= BLOCK);
    *blake3::keyed_hash(&LEAF_KEY, block).as_bytes()
}

/// The hash of two adjacent nodes.
pub fn node(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = blake3::Hasher::new_keyed(&NODE_KEY);
    hasher.update(left).update(right);
    *hasher.finalize().as_bytes()
}

/// A complete subtree: the leaves from `index << level` to the next multiple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Subtree {
    level: u32,
    index: u64,
    digest: Digest,
}

/// A run of adjacent leaves, joined as far as possible, so that any run takes only a few hashes.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    subtrees: Vec<Subtree>,
    next: u64,
}

impl Tree {
    /// An empty run that begins with leaf number `first`.
    pub fn starting_at(first: u64) -> Self {
        Self { subtrees: Vec::new(), next: first }
    }

    /// Adds the leaf after the last one.
    pub fn push(&mut self, leaf: Digest) {
        let index = self.next;
        self.next += 1;
        self.fold(Subtree { level: 0, index, digest: leaf });
    }

    fn fold(&mut self, mut new: Subtree) {
        while let Some(last) = self.subtrees.last()
            && last.level == new.level
            && last.index % 2 == 0
            && last.index + 1 == new.index
        {
            new = Subtree {
                level: new.level + 1,
                index: new.index / 2,
                digest: node(&last.digest, &new.digest),
            };
            self.subtrees.pop();
        }
        self.subtrees.push(new);
    }

    /// Adds the run that begins where this one ends. If a download is resumed in the middle of a
    /// file, that run is hashed first.
    pub fn append(&mut self, back: Self) {
        let first = back.subtrees.first().map(|subtree| subtree.index << subtree.level);
        debug_assert!(first.is_none_or(|first| first == self.next), "runs are neighbours");
        for subtree in back.subtrees {
            self.fold(subtree);
        }
        self.next = self.next.max(back.next);
    }

    /// The hash of a run that begins at leaf 0. A run without leaves has the hash of one empty
    /// leaf.
    pub fn root(mut self) -> Digest {
        if self.next == 0 {
            self.push(leaf(&[]));
        }
        let single = self.next == 1;
        let mut subtrees = self.subtrees.iter().rev();
        let last = subtrees.next().expect("there is a leaf").digest;
        if single {
            return node(&last, &last);
        }
        subtrees.fold(last, |right, left| node(&left.digest, &right))
    }
}

/// Hashes bytes in order.
#[derive(Debug, Clone, Default)]
pub struct Hasher {
    tree: Tree,
    /// The incomplete leaf.
    open: Option<(blake3::Hasher, usize)>,
}

impl Hasher {
    /// The hash of no bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hashes bytes that begin at leaf number `first`; see [`Hasher::into_tree`].
    pub fn starting_at(first: u64) -> Self {
        Self { tree: Tree::starting_at(first), open: None }
    }

    /// Number of bytes until the current leaf is full: [`BLOCK`] if there is none.
    pub fn room(&self) -> usize {
        BLOCK - self.open.as_ref().map_or(0, |(_, len)| *len)
    }

    /// Adds bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(self.room()));
            let (hasher, len) =
                self.open.get_or_insert_with(|| (blake3::Hasher::new_keyed(&LEAF_KEY), 0));
            hasher.update(now);
            *len += now.len();
            if *len == BLOCK {
                self.close();
            }
            bytes = rest;
        }
    }

    /// Adds the hash of the next [`BLOCK`] bytes, which the caller made with [`leaf`].
    pub fn push_leaf(&mut self, leaf: Digest) {
        debug_assert!(self.open.is_none(), "between two leaves only");
        self.tree.push(leaf);
    }

    fn close(&mut self) {
        if let Some((hasher, _)) = self.open.take() {
            self.tree.push(*hasher.finalize().as_bytes());
        }
    }

    /// Completes the last leaf and returns the run of all leaves.
    pub fn into_tree(mut self) -> Tree {
        self.close();
        self.tree
    }

    /// The hash of all bytes.
    pub fn finish(self) -> Digest {
        self.into_tree().root()
    }
}

/// The hash of `bytes`.
pub fn hash(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    fn data(len: usize) -> Vec<u8> {
        (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect()
    }

    /// The rule of the manual, level by level, as an independent check.
    fn naive(bytes: &[u8]) -> Digest {
        let mut level: Vec<Digest> = bytes.chunks(BLOCK).map(leaf).collect();
        if level.is_empty() {
            level.push(leaf(&[]));
        }
        if level.len() == 1 {
            level.push(level[0]);
        }
        while level.len() > 1 {
            level = level
                .chunks(2)
                .map(|pair| if let [l, r] = pair { node(l, r) } else { pair[0] })
                .collect();
        }
        level[0]
    }

    #[test]
    fn the_references_values_at_every_boundary() {
        for (len, want) in [
            (0, "c61e51cf3a3fc9c9249b2463015e0d17a1acdce2c2baec1db8ddc5d84f0aa95f"),
            (1, "b32942fa64e75a3b4b80e8880a7008d1e963b61392b39463dbaf16254a1e6e2b"),
            (64, "5394b528a17703c79dfda0e76380fe03cf6e7b9560dd2612a54d12f9826ec05e"),
            (131_071, "bca10e5ff33e53a1a810d86467c2c0582f1e8e551f9a85139484774bdc65efed"),
            (131_072, "10ac3df342fadebb3bb0a74d8b51881107a517e9753a5d7a1ceab0ac1e3cf1ca"),
            (131_073, "f0f71c08a451bf7b7d26844d889293b81db3f58ca1b8d40e01c187dda9991429"),
            (262_144, "7d6d1a0fc62788cd95602cb184b9d5b02872cf1a82e187aab128c2c8528d1433"),
            (393_216, "04f68bfd45542eff0d2bb47aa261907609d5345e9cb1c2726244381459090631"),
            (655_361, "968b834427c68ed535ea9f086b7166923fd91bcb42a659ab3c5b6ba11eeb0041"),
            (1_048_577, "54eabdf83706a279d98c9a18fe4cce0f848adf79e14a621c4d2b120391e148e6"),
        ] {
            assert_eq!(HEXLOWER.encode(&hash(&data(len))), want, "{len} bytes");
        }
    }

    #[test]
    fn the_keys_are_the_references() {
        let (leaf, node) = keys();
        assert_eq!(
            HEXLOWER.encode(&leaf),
            "e18bccbb41cb5a1110514fe50d85ea750f3d56f6238c12ac84ee2736d1f48b0b"
        );
        assert_eq!(
            HEXLOWER.encode(&node),
            "daa8f800d826a1c15a23317c4697f283761253e8a05e93074eadf0ed3e2d68a9"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn back_before_front_gives_the_same(leaves in 0_u64..40, split in 0_u64..40) {
            let split = split.min(leaves);
            let digest = |i: u64| leaf(&i.to_be_bytes());
            let mut whole = Tree::default();
            let mut front = Tree::default();
            let mut back = Tree::starting_at(split);
            for i in 0..leaves {
                whole.push(digest(i));
                if i < split { front.push(digest(i)) } else { back.push(digest(i)) }
            }
            front.append(back);
            prop_assert_eq!(front.root(), whole.root());
        }

        #[test]
        fn pieces_of_any_size_give_the_manuals_tree(len in 0_usize..900_000, piece in 1_usize..200_000) {
            let bytes = data(len);
            let mut hasher = Hasher::new();
            bytes.chunks(piece).for_each(|piece| hasher.update(piece));
            prop_assert_eq!(hasher.finish(), naive(&bytes));
        }
    }
}
