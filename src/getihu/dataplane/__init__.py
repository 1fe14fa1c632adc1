"""Department deliveries in: contracts, signed manifests, quarantine, immutable snapshots, the
facts table.
"""
