//! The log: what a node did, as recfile records and as sentences.
