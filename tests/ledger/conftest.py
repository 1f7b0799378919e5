from tests.control_fixtures import control, file_home, file_store, home, journal, store

__all__ = ["control", "file_home", "file_store", "home", "journal", "store"]
