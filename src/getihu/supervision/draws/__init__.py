"""The arithmetic of a draw: pure, of texts alone, so that anybody else's program can do it too."""
