"""`convscope tune`: what it refuses, and its output."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "convscope tune: give either DATA, as in: convscope tune digits, or --resume DIR"),
        (
            ["digits", "--search", "model.options.width"],
            "--search model.options.width: '=' is missing; write it like --search model.options.width=16:256",
        ),
        (
            ["--resume", "x", "--trials", "3"],
            "convscope tune --resume: continues with the search's own settings; remove the other flags",
        ),
        (["--resume", "x"], "x: not a search, because it has no search.jsonl; give a folder that convscope tune wrote"),
        (["digits", "--budget", "soon"], "--budget: 'soon' is not a duration; write a duration like 90s, 5m or 1h30m"),
    ],
)
def test_wrong_arguments_are_one_line(convscope, arguments, message):
    code, out, err = convscope("tune", *arguments)
    assert (code, out, err) == (2, "", f"convscope: {message}\n")
