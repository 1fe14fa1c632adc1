"""Settings, routes, the command line: wires the packages together and decides nothing."""
