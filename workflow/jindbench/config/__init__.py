"""The configuration: its sections, the variants of methods, the plan that follows, and how it is read and checked."""
