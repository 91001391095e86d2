//! ZFS send streams. Knows nothing of packets.
