"""Divisions, industry classes, the working calendar: public code lists, each with its source."""
