"""The policy library: what people read of a policy, all of it made from the rule itself."""
