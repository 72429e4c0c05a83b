"""Which hours should be stored, which are, and what became of the others."""
