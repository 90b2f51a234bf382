"""Settings and fixtures of all tests."""

from hypothesis import HealthCheck, settings

# how long an example takes says something of the machine, not of what is tested
settings.register_profile("memalign", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("memalign")
