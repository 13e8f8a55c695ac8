"""The soak at a small size; `python -m tests.deploy.soak` is the full one."""

from __future__ import annotations

from tests.deploy.soak import Size, run


def test_a_deployment_through_faults_and_kills_ends_in_the_desired_state() -> None:
    found = run(Size(rules=40, hunting=15, functions=10, watchlists=5, workbooks=5, others=5, obsolete=3, kills=2))
    assert found.problems == ()
    assert found.faults > 10
    # every run reads the workspace once: in a small one that weighs more than in a large one
    assert found.requests <= 1.2 * found.minimum + 2 * 35
