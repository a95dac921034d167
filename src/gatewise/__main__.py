"""`python -m gatewise` is the command `gatewise`."""

import sys

from gatewise.cli import main

sys.exit(main())
