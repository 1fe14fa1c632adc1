"""Who is who: identity and history of every trader (also of firms that were traders)."""
