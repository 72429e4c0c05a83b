"""`python -m fundwatch` is the same as the `fundwatch` command."""

from fundwatch.cli import main

if __name__ == "__main__":
    main(prog_name="fundwatch")
