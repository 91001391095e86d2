//! Manifests of directory trees. Knows nothing of packets.
