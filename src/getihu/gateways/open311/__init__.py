"""Open311 GeoReport v2: other systems read appeals and hand them in (wiki.open311.org/GeoReport_v2).

What is read is what was chosen from lists: subject, office, place, state, times. The words somebody
wrote, and who, are nobody's but the office's; what complains of an office is not listed at all.
"""
