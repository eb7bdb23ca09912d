"""How jobs run: their log and record, the guard around methods, what a start finds, what jobs cost."""
