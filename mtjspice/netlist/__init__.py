"""Netlist text: contexts of plain numbers, Jinja templates, lint."""
