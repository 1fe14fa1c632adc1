from tests.real_city import made_city, real_city

__all__ = ["made_city", "real_city"]
