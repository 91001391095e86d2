//! 128 KiB blocks on all cores: packets sealed, opened and hashed in batches.
