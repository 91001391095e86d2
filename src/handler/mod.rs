//! What an exec handle runs: an external command, or a builtin.
