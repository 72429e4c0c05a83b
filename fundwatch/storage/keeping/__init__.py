"""Copies of the database, and letting go of what is old."""
