"""Examples that are the same in every run, on a machine of any speed."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ar_collections",
    derandomize=True,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        # Each example of a test with a database starts from a savepoint of its own.
        HealthCheck.function_scoped_fixture,
        HealthCheck.differing_executors,
    ],
)
settings.load_profile("ar_collections")
