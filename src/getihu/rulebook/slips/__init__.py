"""Decision slips: what was decided, on what, by which text; and the same bytes again years later."""
