"""Themes of the day's papers, learned with BERTopic on the rolling window, named as their own papers name them.

learn(window, vectors, day, known, ...)     the day's themes, and what tomorrow must know of them
evaluate_papers(papers, vectors, ...)       the same over an evaluation suite
write_map(path, window, vectors, known)     the window as an interactive map, one offline HTML file
"""

from newsletter.themes.edition import MORE, gathered_themes
from newsletter.themes.learn import Learned, evaluate_papers, learn
from newsletter.themes.map import write_map

__all__ = ["MORE", "Learned", "evaluate_papers", "gathered_themes", "learn", "write_map"]
