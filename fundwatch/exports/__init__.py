"""What leaves the house as a file, and the columns that it has there."""
