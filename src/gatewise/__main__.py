"""Run the command `gatewise` as `python -m gatewise`."""

import sys

from gatewise.cli import main

sys.exit(main())
