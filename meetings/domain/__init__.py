"""The rules of scheduling. Standard library only, synchronous, no clock, no I/O."""
