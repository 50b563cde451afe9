"""`newsletter tune` says when there is too little feedback, and how much is needed."""

from __future__ import annotations

import json


def test_without_feedback_it_says_what_is_missing(newsletter):
    status, out, err = newsletter("tune")
    assert (status, out) == (1, "")
    assert err.startswith("Too little feedback to tell: 0 letters were answered, 20 are needed.")
    status, out, _ = newsletter("tune", "--json")
    assert (status, json.loads(out)["signals"], json.loads(out)["letters_needed"]) == (1, [], 20)
