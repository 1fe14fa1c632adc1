"""One folder per outside system. Each implements a port of a package below and is imported by
nobody but config.
"""
