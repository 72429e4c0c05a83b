"""The exchanges: one module each, and the line that registers it."""
