"""Documents judged: their forward equations become a cell, their other equations claims with verdicts."""
