"""What lies before any method: downloads, checks, preprocessing, the cut into source and target."""
