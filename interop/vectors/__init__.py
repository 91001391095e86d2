"""Makes testvectors/: see testvectors/README.md."""
