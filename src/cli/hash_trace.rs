//! The steps of the Merkle tree hash, as `nncp-hash -debug` prints them.

use data_encoding::HEXLOWER;
use packmule_protocol::mth::{self, Digest};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// A tree that prints each step. Leaves may be added in any order.
pub(super) struct Trace<W> {
    out: W,
    /// Joins nodes level by level at the end, instead of as soon as two neighbours exist.
    fat: bool,
    /// Nodes without a parent, by the index of their first leaf.
    nodes: BTreeMap<u64, Node>,
}

#[derive(Clone, Copy)]
struct Node {
    level: u32,
    index: u64,
    digest: Digest,
}

impl<W: Write> Trace<W> {
    pub(super) fn new(mut out: W, fat: bool) -> io::Result<Self> {
        let (leaf, node) = mth::keys();
        writeln!(out, "Leaf BLAKE3 key: {}", HEXLOWER.encode(&leaf))?;
        writeln!(out, "Node BLAKE3 key: {}", HEXLOWER.encode(&node))?;
        Ok(Self { out, fat, nodes: BTreeMap::new() })
    }

    pub(super) fn leaf(&mut self, index: u64, block: &[u8]) -> io::Result<()> {
        self.add(Node { level: 0, index, digest: mth::leaf(block) })
    }

    /// Completes the tree. A node without a right neighbour moves up a level unchanged.
    pub(super) fn finish(mut self) -> anyhow::Result<Digest> {
        if self.nodes.is_empty() {
            self.leaf(0, &[])?;
        }
        if let (1, Some(only)) = (self.nodes.len(), self.nodes.values().next().copied())
            && only.level == 0
        {
            self.add(Node { index: 1, ..only })?;
        }
        match self.fat {
            true => self.level_by_level()?,
            false => self.promote_from_the_right()?,
        }
        self.out.flush()?;
        let root = self.nodes.values().next().map(|node| node.digest);
        Ok(root.expect("one node is left, and there was a leaf"))
    }

    fn promote_from_the_right(&mut self) -> io::Result<()> {
        while self.nodes.len() > 1 {
            let (_, last) = self.nodes.pop_last().expect("more than one");
            let (_, left) = self.nodes.last_key_value().expect("more than one");
            let level = left.level;
            self.add(Node { level, index: last.index >> (level - last.level), ..last })?;
        }
        Ok(())
    }

    fn level_by_level(&mut self) -> io::Result<()> {
        for level in 0.. {
            if self.nodes.len() == 1 {
                return Ok(());
            }
            let nodes: Vec<_> = std::mem::take(&mut self.nodes).into_values().collect();
            for pair in nodes.chunks(2) {
                let parent = match pair {
                    [left, right] => self.fold(left, right)?,
                    _ => {
                        let parent = Node { level: level + 1, index: pair[0].index / 2, ..pair[0] };
                        self.print("Add", &parent)?;
                        parent
                    }
                };
                self.nodes.insert(parent.index, parent);
            }
        }
        Ok(())
    }

    fn add(&mut self, mut node: Node) -> io::Result<()> {
        self.print("Add", &node)?;
        while !self.fat
            && let Some(neighbour) = self.nodes.get(&((node.index ^ 1) << node.level)).copied()
            && neighbour.level == node.level
        {
            self.nodes.remove(&(neighbour.index << neighbour.level));
            let (left, right) =
                if node.index.is_multiple_of(2) { (node, neighbour) } else { (neighbour, node) };
            node = self.fold(&left, &right)?;
        }
        self.nodes.insert(node.index << node.level, node);
        Ok(())
    }

    fn fold(&mut self, left: &Node, right: &Node) -> io::Result<Node> {
        let digest = mth::node(&left.digest, &right.digest);
        let parent = Node { level: left.level + 1, index: left.index / 2, digest };
        self.print("Fold", &parent)?;
        Ok(parent)
    }

    fn print(&mut self, what: &str, node: &Node) -> io::Result<()> {
        let Node { level, index, digest } = node;
        writeln!(self.out, "{what}\t{level:03}\t{index:06}\t{}", HEXLOWER.encode(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(order: &[u64], fat: bool, want: &str) {
        let mut out = Vec::new();
        let leaves: Vec<_> = (0..order.len() as u64).map(|i| mth::leaf(&[i as u8])).collect();
        let mut trace = Trace::new(&mut out, fat).unwrap();
        for index in order {
            trace.leaf(*index, &[*index as u8]).unwrap();
        }
        let root = trace.finish().unwrap();
        let mut tree = mth::Tree::default();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        assert_eq!(root, tree.root());
        let text = String::from_utf8(out).unwrap();
        let step = |line: &str| {
            let words: Vec<_> = line.split('\t').collect();
            let place = |word: &str| word.parse::<u64>().unwrap();
            format!("{}{}.{}", &words[0][..1], place(words[1]), place(words[2]))
        };
        let steps: Vec<_> = text.lines().skip(2).map(step).collect();
        assert_eq!(steps.join(" "), want);
    }

    #[test]
    fn steps_are_the_references() {
        check(
            &[0, 1, 2, 3, 4, 5],
            false,
            "A0.0 A0.1 F1.0 A0.2 A0.3 F1.1 F2.0 A0.4 A0.5 F1.2 A2.1 F3.0",
        );
        check(
            &[0, 1, 2, 3, 4, 5],
            true,
            "A0.0 A0.1 A0.2 A0.3 A0.4 A0.5 F1.0 F1.1 F1.2 F2.0 A2.1 F3.0",
        );
        check(
            &[2, 3, 4, 5, 0, 1],
            false,
            "A0.2 A0.3 F1.1 A0.4 A0.5 F1.2 A0.0 A0.1 F1.0 F2.0 A2.1 F3.0",
        );
        check(&[0], false, "A0.0 A0.1 F1.0");
        check(&[0], true, "A0.0 A0.1 F1.0");
    }
}
