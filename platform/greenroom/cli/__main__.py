import sys

from greenroom.cli.main import main

sys.exit(main())
