"""The benchmark's library: what the workflow's scripts, the tests and a notebook call."""

__version__ = "0.1.0"
