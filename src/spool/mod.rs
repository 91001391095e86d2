//! Packets on disk: the only code that builds a path inside the spool.
