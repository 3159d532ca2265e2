"""The parts of a numeric test of a kernel: cases, values, derivatives, calls, the report."""
