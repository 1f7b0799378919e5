from tests.control_fixtures import home, journal, store

__all__ = ["home", "journal", "store"]
