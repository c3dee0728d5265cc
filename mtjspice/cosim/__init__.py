"""The same step in SPICE and on the surrogate, side by side."""
