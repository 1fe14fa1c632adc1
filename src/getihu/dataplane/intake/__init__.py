"""From a delivery folder to accepted and quarantined rows. Knows no table of the database."""
