"""Files about people: encrypted on disk, each under a data key of its own, which goes when the file goes."""

import threading

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible

from privacy import datakeys

MARK = b"OHF1"  # what an encrypted file begins with


@deconstructible(path="privacy.storage.PersonalFiles")
class PersonalFiles(FileSystemStorage):
    """Whole files at a time: they are labels and pictures of at most some megabytes.

    Its key and the file are two things: a run that dies between them leaves a file nobody can read, which the next
    `save` under that name replaces. Without the key a file counts as missing.
    """

    _fetched = threading.local()

    def _owner(self, name: str) -> str:
        return f"file:{self._place}/{name}"[-160:]

    @property
    def _place(self) -> str:
        return str(self.base_location).rstrip("/").rsplit("/", 1)[-1]

    def _save(self, name, content):
        if not settings.ENCRYPT_PERSONAL_DATA:
            return super()._save(name, content)
        owner = self._owner(name)
        datakeys.destroy([owner])  # of an earlier file of that name: its copies stay unreadable
        wrapped = datakeys.obtain([owner], fresh=True)[owner]
        content.seek(0)
        sealed = MARK + datakeys.seal_bytes(content.read(), wrapped, place=self._place)
        kept_as = super()._save(name, ContentFile(sealed))
        if kept_as != name:  # somebody was quicker with this name
            datakeys.hand_over(owner, self._owner(kept_as))
        return kept_as

    def _open(self, name, mode="rb"):
        if "w" in mode or "a" in mode or "+" in mode:
            raise ValueError("files about people are saved whole")
        with super()._open(name, mode) as file:
            stored = file.read()
        if not stored.startswith(MARK):
            return File(ContentFile(stored), name)
        owner = self._owner(name)
        wrapped = self._key_of(owner)
        if wrapped is None:
            raise FileNotFoundError(name)
        return File(ContentFile(datakeys.unseal_bytes(stored[len(MARK) :], wrapped, place=self._place)), name)

    def ahead(self, names) -> None:
        """Fetch the keys of files that are opened next by this thread, in one statement. Each is used once."""
        owners = [self._owner(name) for name in names]
        self._fetched.keys = datakeys.known(owners)

    def _key_of(self, owner: str) -> str | None:
        at_hand = getattr(self._fetched, "keys", {})
        return at_hand.pop(owner) if owner in at_hand else datakeys.known([owner]).get(owner)

    def delete_all(self, names, *, between=lambda: None) -> None:
        """Delete these files, their keys first and in one statement; `between` is called after each."""
        datakeys.destroy(self._owner(name) for name in names)
        for name in names:
            super().delete(name)
            between()

    def delete(self, name):
        """The key first: from then on the file is noise, whatever becomes of it."""
        datakeys.destroy([self._owner(name)])
        super().delete(name)
