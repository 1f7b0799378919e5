"""`python -m tre.cli`: the command line without its installed script."""

import sys

from tre.cli import main

sys.exit(main())
