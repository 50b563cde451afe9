"""What mail programs and the reference MJML engine make of our templates."""

import gzip
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from newsletter.letter.templates import expanded

ROOT = Path(__file__).resolve().parents[2]
NODE = Path(os.environ.get("NEWSLETTER_NODE_MODULES", ROOT / "tests" / "node" / "node_modules"))
BASELINE = Path(__file__).parent / "caniemail.txt"


def features(html: str, known: set[str]) -> set[str]:
    """The features of the caniemail data (named as there) that a letter uses."""
    css = "".join(re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL))
    styles = ";".join([css, *re.findall(r'style="([^"]*)"', html)])
    found = {f"css-{name}" for name in re.findall(r"([a-z-]+)\s*:", styles)}
    found |= {f"css-{name.split('-')[0]}" for name in re.findall(r"((?:border|margin|padding)-[a-z-]+)\s*:", styles)}
    found |= {f"css-at-{name}" for name in re.findall(r"@([a-z-]+)", css)}
    found |= {f"css-at-media-{name}" for name in re.findall(r"@media[^{]*\(([a-z-]+):", css)}
    found |= {f"css-pseudo-class-{name}" for name in re.findall(r":([a-z-]+)\s*[,{]", css)}
    found |= {f"css-unit-{name}" for name in re.findall(r"\d(px|em|rem|vw|vh)\b", styles)}
    found |= {"css-unit-percent"} if "%" in styles else set()
    found |= {"css-important"} if "!important" in styles else set()
    found |= {"css-selector-class"} if re.search(r"\.[a-z]+[^{};]*\{", css) else set()
    found |= {"css-selector-child"} if re.search(r">\s*\w", css) else set()
    found |= {f"html-{name}" for name in re.findall(r"<([a-z]+)", html)}
    found |= {f"html-{name}" for name in re.findall(r"\s([a-z-]+)=\"", html)}
    found |= {"html-h1-h6"} if re.search("<h[1-6]", html) else set()
    found |= {"html-loading-attribute"} if 'loading="' in html else set()
    found |= {"html-meta-color-scheme"} if 'name="color-scheme"' in html else set()
    return found & known


def test_no_letter_uses_a_feature_beyond_the_baseline(shared):
    """`caniemail.txt` lists each with what happens where it is not supported; a new one must be thought about there."""
    lines = gzip.decompress((shared / "caniemail" / "support.jsonl.gz").read_bytes()).splitlines()
    known = {json.loads(line)["feature"] for line in lines}
    allowed = {line.split()[0] for line in BASELINE.read_text("utf-8").splitlines() if line and line[0] != "#"}
    used = set().union(*(features(f.read_text("utf-8"), known) for f in (ROOT / "tests" / "golden").glob("*.html")))
    assert len(used) > 30
    assert sorted(used - allowed) == []
    assert sorted(allowed - used) == [], "no longer used: take it off the list"


REFERENCE = """
const mjml = require(process.argv[1] + '/mjml');
const text = require('fs').readFileSync(0, 'utf8');
Promise.resolve(mjml(text, {validationLevel: 'soft', minify: false})).then(r =>
  console.log(JSON.stringify({errors: r.errors.map(e => e.formattedMessage), html: r.html})));
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not (NODE / "mjml").is_dir() or not shutil.which("node"),
    reason=f"TEMPLATES NOT CHECKED BY THE REFERENCE ENGINE: no mjml in {NODE} (npm ci --prefix tests/node)",
)
def test_the_reference_engine_finds_nothing_wrong_with_the_templates():
    text = expanded("letter.mjml")
    for name, value in {"dir": "ltr", "start": "left", "end": "right", "lang": "en"}.items():
        text = text.replace(f"{{{{ {name} }}}}", value)
    done = subprocess.run(
        ["node", "-e", REFERENCE, str(NODE)], input=text, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["errors"] == []
    assert answer["html"].count("{% for card in top %}") == 1


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("spamassassin"), reason="SPAM SCORE NOT MEASURED: no spamassassin (apt-get install)"
)
@pytest.mark.parametrize("case", ["full", "one-paper", "arabic", "200-papers"])
def test_spamassassin_without_network_scores_below_one(build, case, tmp_path):
    command = ["spamassassin", "--local", "--test-mode", "--nocreate-prefs"]
    home = {**os.environ, "HOME": str(tmp_path)}  # it learns from what it reads, and would write that down at home
    done = subprocess.run(command, input=build.message(case), capture_output=True, check=True, timeout=120, env=home)
    report = done.stdout.decode("utf-8", "replace")
    score = re.search(r"Content analysis details:\s+\((-?[\d.]+) points", report)
    assert score
    assert float(score[1]) < 1.0, report[report.index("Content analysis") :]
