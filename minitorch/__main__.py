"""`python -m minitorch`: see `minitorch.commands`."""

import sys

from minitorch.commands import main

sys.exit(main())
