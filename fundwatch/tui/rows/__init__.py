"""What stands in the tables: numbers of a snapshot in words, one module for each table."""
