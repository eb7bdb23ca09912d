"""Figures: each file turns a table into a matplotlib figure."""
