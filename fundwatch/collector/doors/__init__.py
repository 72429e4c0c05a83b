"""The doors to a collector: the same commands from its own process and over a socket."""
