"""Base layout, components, template tags, paging: looks, no content."""
