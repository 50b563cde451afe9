"""Themes of the day's papers, learned with BERTopic on the rolling window, named as their own papers name them."""

from newsletter.themes.learn import MORE, Learned, learn

__all__ = ["MORE", "Learned", "learn"]
