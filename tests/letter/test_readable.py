"""LaTeX and Markdown become text that a person reads; anything else comes through unharmed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.text import readable


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\textbf{Bold} and \emph{it}", "Bold and it"),
        (r"in $\mathcal{O}(n^2)$ steps", "in 𝒪(n²) steps"),
        (r"an $O(n \log n)$ bound, $\alpha$-mixing", "an O(n log n) bound, α-mixing"),
        (r"$10^{-3}$ and $x_i \in \mathbb{R}^d$", "10⁻³ and xᵢ ∈ℝᵈ"),
        (r"Erd\H{o}s, G\"odel, Poincar\'e", "Erdős, Gödel, Poincaré"),
        (r"gains of 7.2\% and ~10x, 100% sure", "gains of 7.2% and ~10x, 100% sure"),
        ("for $5 and then $10 a month", "for $5 and then $10 a month"),
        (r"``quoted'' text~\cite{a,b} here", "“quoted” text here"),
        (r"many (\ie, most) of \ours", "many (i.e., most) of ours"),
        (r"see \href{https://x.org/a_b}{our page}", "see our page"),
        ("360^circ views, 5times faster, texttt{Name}", "360° views, 5× faster, Name"),
        ("**TransMLA** and X^2-Gaussian", "TransMLA and X²-Gaussian"),
        ("file_name_x and https://x.org/a_b", "file_name_x and https://x.org/a_b"),
        ("<script>alert(1)</script> {{ 7 * 7 }} {% x %}", "<script>alert(1)</script> {{ 7 * 7 }} {% x %}"),
        ("a\u202eb\u2066c\x00d\r\ne\u2028f", "abc d e f"),
        ("", ""),
    ],
)
def test_marks_become_characters(latex, text):
    assert readable(latex) == text


@pytest.mark.parametrize(
    "hostile", ["{" * 5000, "\\" * 3000, "$" * 999, r"\begin{equation} a", "\\" + "x{" * 4000, "\ud800x"]
)
def test_hostile_text_never_fails(hostile):
    assert isinstance(readable(hostile), str)


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from(list("ab \\${}^_~%&#'`-*\n<>()[]é\u202e")), max_size=60))
def test_any_text_becomes_one_tidy_line(text):
    line = readable(text)
    assert "\n" not in line
    assert line == line.strip()
    assert "\u202e" not in line


@pytest.mark.slow
def test_no_title_or_abstract_keeps_latex(real_papers):
    for pair in real_papers:
        for text in map(readable, pair):
            assert "\\" not in text, text
            assert "``" not in text, text
            assert "texttt{" not in text, text
