"""好差评, surveys, follow-up. Will own ratings and their statutory response clocks."""
