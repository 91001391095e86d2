//! Calls between nodes: the only async code.
