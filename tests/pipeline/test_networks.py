"""Who asks from one network counts as one."""

from __future__ import annotations

import pytest

from newsletter.pipeline.networks import network_of


@pytest.mark.parametrize(
    ("host", "network", "narrow"),
    [
        ("203.0.113.77", "203.0.113.0/24", "203.0.113.77/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.0/24", "203.0.113.7/32"),
        ("fe80::1%eth0", "fe80::/48", "fe80::/64"),
        ("", "unknown", "unknown"),
        (None, "unknown", "unknown"),
        ("testclient", "unknown", "unknown"),
        ("203.0.113.0/24", "unknown", "unknown"),
    ],
)
def test_neighbours_share_a_network(host, network, narrow):
    assert network_of(host, bits=24, bits6=48) == network
    assert network_of(host, bits=32, bits6=64) == narrow
