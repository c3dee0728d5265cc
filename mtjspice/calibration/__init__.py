"""Switching statistics to the write coefficients t0, t1, I0, I1 of Mondal & Srivastava (2018)."""
