"""What there is to know before any row comes: contracts of deliveries, declarations of facts."""
