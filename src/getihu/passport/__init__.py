"""Measure 4: electronic licence and 企业码. Will own credentials, their status and their
verification.
"""
