"""What is written into the register, what follows from it, and what may not be written."""
