"""`python -m transformer`: see `transformer.commands`."""

import sys

from transformer.commands import main

if __name__ == "__main__":
    sys.exit(main())
