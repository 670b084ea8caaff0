"""The folders of joblib's memory maps for one executor, and when they go.

Joblib's resource tracker counts the users of each file: this process, until a map has ended, and each worker that has
it mapped. With the last of them it removes the file. Whoever lets go twice ends the count of somebody else, who is told
of an unknown file then: on the program's standard error, by the tracker. An item may keep what it was given for as long
as its worker lives, so a file may outlast many maps.
"""

from __future__ import annotations

import os
from contextlib import suppress
from uuid import uuid4


class Folders:
    """One folder for each map, made when it is needed.

    The attributes and methods of joblib's that this works with are those of joblib 1.4 to 1.6.
    """

    def __init__(self) -> None:
        from joblib._memmapping_reducer import TemporaryResourcesManager

        self._of_joblib = TemporaryResourcesManager()
        self._let_go: set[str] = set()

    def current(self) -> str:
        """Where a map is put now."""
        name: str = self._of_joblib.resolve_temp_folder_name()
        return name

    def renew(self) -> None:
        """Let go of all files, once each, and begin a new folder; what a worker still has goes with a later call."""
        from joblib.externals.loky.backend import resource_tracker

        used = os.path.isdir(self.current())
        there: set[str] = set()
        for map_, files in self._files():
            for each in files:
                if each not in self._let_go:
                    resource_tracker.maybe_unlink(each, "file")
            there.update(files)
            if not files:
                self._of_joblib._clean_temporary_resources(map_)
        self._let_go = there
        if used:
            self._of_joblib.set_current_context(uuid4().hex)

    def remove(self) -> None:
        """Remove all files and folders; the workers have ended."""
        from joblib.externals.loky.backend import resource_tracker

        for map_, files in self._files():
            for each in files:
                # The tracker may be about to remove it by what a worker has told it last, and to forget it.
                resource_tracker.register(each, "file")
                resource_tracker.unregister(each, "file")
                with suppress(OSError):
                    os.unlink(each)
            self._of_joblib._clean_temporary_resources(map_, force=True)

    def _files(self) -> list[tuple[str, list[str]]]:
        """The files of each map whose folder is known."""
        found = []
        for map_, folder in list(self._of_joblib._cached_temp_folders.items()):
            try:
                found.append((map_, [os.path.join(folder, name) for name in os.listdir(folder)]))
            except FileNotFoundError:
                found.append((map_, []))
        return found
