"""What is paid when several rules give: one project once, a ceiling for all, an order of payment.

Pure functions on offers and earlier awards (政策元规则 F-01, F-04). Who was paid what is kept by
the caller; nothing here reads or writes.
"""
