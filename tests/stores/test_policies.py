"""Whether Amazon's product details replace ours (F10c)."""

import pytest

from stores.policies import accepted


@pytest.mark.parametrize(
    ("policy", "kept", "offered", "after"),
    [
        ("never", "Ours", "Amazon's", "Ours"),
        ("never", "", "Amazon's", ""),
        ("if_empty", "Ours", "Amazon's", "Ours"),
        ("if_empty", "", "Amazon's", "Amazon's"),
        ("if_empty", None, 250, 250),
        ("if_empty", 0, 250, 250),
        ("always", "Ours", "Amazon's", "Amazon's"),
        ("always", "Ours", "", "Ours"),
        ("always", 250, None, 250),
        ("always", {"length": 10}, {}, {"length": 10}),
        ("a word of tomorrow", "Ours", "Amazon's", "Ours"),
    ],
)
def test_f10c_each_policy_keeps_or_replaces(policy, kept, offered, after):
    assert accepted(policy, kept, offered) == after
