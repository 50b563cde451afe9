"""Personal research-paper newsletters: themes, ranking, letters, delivery."""

__version__ = "0.1.0"
