"""People, agencies, roles, scopes. Will own sign-in and the policy file of who may do what."""
