"""Licences as others can check them: SD-JWT VC, status lists, the offline code. Pure but for keys."""
