"""From numbers to the tables that people read."""
