"""Neighbours of a trader as anonymous bands: who trades like her, near her, without anybody told."""

from getihu.growth.neighbours.cells import FIGURES, LEAST, Cell, divide, keep_quiet, measure

__all__ = ["FIGURES", "LEAST", "Cell", "divide", "keep_quiet", "measure"]
