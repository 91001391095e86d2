"""What every title stands on: checks, the two implementations, nodes, networks, disks, measures."""
