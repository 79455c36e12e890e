"""The text the bundled model is trained on: all of it written by this package."""
