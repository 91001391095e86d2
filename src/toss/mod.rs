//! Acting on received packets.
