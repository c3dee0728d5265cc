"""Netlist text to waveforms: ngspice as a process or as a library, noise files, raw files."""
