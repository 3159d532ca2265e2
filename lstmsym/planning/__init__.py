"""From a derivation to a program, in steps: prepare, lay out, place, emit, decide what is kept."""
