"""One junction, pure physics: no files, no processes."""
