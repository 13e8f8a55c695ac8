"""What every test may ask for."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# The same examples on every run and no deadline per example: a test must not depend on the day or on the machine.
settings.register_profile("project", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

# A shell starts background jobs with Ctrl-C ignored, and tests of it would then wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared(root: Path) -> Path:
    """The folder of conformance data beside the checkout, which not every clone has."""
    folder = root.parent / "shared"
    if not (folder / "conformance").is_dir():
        pytest.skip(f"the conformance data is not at {folder}")
    return folder
