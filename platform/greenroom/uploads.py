"""Where files that are sent wait for their view."""

from __future__ import annotations

from contextlib import suppress

from django.core.files.uploadhandler import TemporaryFileUploadHandler


class Aside(TemporaryFileUploadHandler):
    """Django's own, but what found no room is off the disk at once, not when memory is tidied."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError:
            with suppress(OSError):  # closing says once more that the last bytes did not fit
                self.file.close()
            raise
