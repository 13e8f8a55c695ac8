"""What a workspace has, back into content files: all of it (pull), or only what was changed there (adopt). No HTTP."""

from toolkit.deploy.adopt.files import WriteError, write_new
from toolkit.deploy.adopt.pull import Pull, Pulled, Skipped, known_keys, pulled

__all__ = ["Pull", "Pulled", "Skipped", "WriteError", "known_keys", "pulled", "write_new"]
