"""From values to reasons: decisions people can read and replay."""
