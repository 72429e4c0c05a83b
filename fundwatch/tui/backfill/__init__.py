"""Fetching what is missing, asked for and watched on the screen."""
