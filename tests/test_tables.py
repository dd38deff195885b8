"""Tables of results: aligned in a console, escaped in a notebook."""

from convscope.tables import html_notes, html_table, text_table


def test_columns_are_aligned_and_lines_have_no_trailing_space():
    assert text_table(["file", "label"], [["a.png", "cat"], ["long.png", ""]]) == (
        "file      label\na.png     cat\nlong.png"
    )


def test_every_text_of_a_user_is_escaped():
    bad = "<script>alert('x')</script>"
    page = html_table([bad], [[bad]], bad) + html_notes([bad])
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") == 4
