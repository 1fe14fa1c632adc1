"""Who may ask what: one policy file, the wall that holds to it, and what looking leaves behind."""
