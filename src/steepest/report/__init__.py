"""What a fit achieved, as numbers and words: read from fitted attributes and traces, never by solving again."""
