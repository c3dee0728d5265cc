"""Arrays: cells that vary, exact reads with wires, floating lines."""
