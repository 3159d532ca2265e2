"""Judging equations: claims about a cell's gradients are proved, refuted with numbers, or left open."""
