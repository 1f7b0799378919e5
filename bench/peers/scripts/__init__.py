"""Scripts that ask a peer, each run by the interpreter of the environment that has it."""
