"""The configuration: its sections, what it asks for, and how it is read and checked."""
