"""A language model that writes what the product otherwise takes from the papers' own words. Off by default.

with open_client(endpoint) as client:
    write_summaries(client, endpoint, papers)      two sentences for each paper
    name_themes(client, endpoint, themes)          a name for each theme

Any server that speaks OpenAI's chat completions. What strangers wrote is data to it, and what it answers is data to us:
checked, and left out where it is not right. It may be slow, wrong or away; it is never waited for longer than told.
"""

from newsletter.writer.chat import Endpoint, open_client
from newsletter.writer.names import Group, name_themes
from newsletter.writer.run import Run
from newsletter.writer.summaries import VERSION, write_summaries

__all__ = ["VERSION", "Endpoint", "Group", "Run", "name_themes", "open_client", "write_summaries"]
