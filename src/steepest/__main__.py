"""``python -m steepest``: the command line."""

from steepest.cli import main

if __name__ == "__main__":
    main(prog_name="steepest")
