"""Engines make frames. Nothing below this folder knows Django; torch lives only in ``local/``."""
