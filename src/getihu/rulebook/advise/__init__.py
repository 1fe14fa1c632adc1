"""Why not, when, and what would change it: from a refusal to the nearest way out of it."""
