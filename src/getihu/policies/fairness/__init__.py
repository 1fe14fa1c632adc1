"""Fair-competition review (公平竞争审查条例): words and patterns of the text, and what the coded rule
does to two traders who differ in legal form or place alone."""
