"""Measures 6-7: booklets, the first lesson, reminders. Will own lesson content and reminder rules."""
