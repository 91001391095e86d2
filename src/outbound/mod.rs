//! Queueing packets for neighbours.
