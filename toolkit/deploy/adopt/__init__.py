"""What a workspace has, back into content files: all of it (pull), or only what was changed there (adopt). No HTTP."""

from toolkit.deploy.adopt.adoption import Adoption, AdoptOptions, adopted
from toolkit.deploy.adopt.files import WriteError, write_changed, write_new
from toolkit.deploy.adopt.pull import Pull, Pulled, PullOptions, Skipped, known_keys, pulled

__all__ = [
    "AdoptOptions",
    "Adoption",
    "Pull",
    "PullOptions",
    "Pulled",
    "Skipped",
    "WriteError",
    "adopted",
    "known_keys",
    "pulled",
    "write_changed",
    "write_new",
]
