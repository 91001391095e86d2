"""The reference as the other side: vectors, scenarios, differential commands, crashes, bench."""
