//! The Merkle tree hash is `nncp-hash`'s, whole, in pieces, and resumed in the middle.

use crate::{hex, json, list, number, rule, text};
use packmule_protocol::mth::{self, BLOCK, Hasher};

#[test]
fn hashes_are_the_references_at_every_number_of_blocks() {
    for told in list(&json("mth.json")) {
        let bytes = rule(number(told, "length"));
        assert_eq!(mth::hash(&bytes).to_vec(), hex(text(told, "hash")), "{told}");
        let mut hasher = Hasher::new();
        bytes.chunks(99_991).for_each(|piece| hasher.update(piece));
        assert_eq!(hasher.finish().to_vec(), hex(text(told, "hash")), "{told} in pieces");
    }
}

#[test]
fn a_hash_resumed_at_any_block_is_the_same() {
    for told in list(&json("mth.json")) {
        let bytes = rule(number(told, "length"));
        for block in 1..=bytes.len() / BLOCK {
            let (front, back) = bytes.split_at(block * BLOCK);
            if back.is_empty() {
                continue;
            }
            let (mut first, mut second) = (Hasher::new(), Hasher::starting_at(block as u64));
            second.update(back);
            first.update(front);
            let mut tree = first.into_tree();
            tree.append(second.into_tree());
            assert_eq!(tree.root().to_vec(), hex(text(told, "hash")), "{told} from block {block}");
        }
    }
}
