"""Bringing the past in from files: read, judge, store."""
