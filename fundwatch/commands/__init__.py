"""The commands: each reads words, asks for one answer, and prints it."""
