#!/usr/bin/env python
"""Runs the commands of the house from a plain checkout."""

import os
import sys
from pathlib import Path

# The shelf that holds the packages `greenroom` and `core`; installed, this line changes nothing.
sys.path.insert(0, str(Path(__file__).resolve().parent / "platform"))

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "greenroom.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
