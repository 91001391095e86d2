"""packmule and the reference in turn on the same data: time, memory, and what the machine could do at best."""
