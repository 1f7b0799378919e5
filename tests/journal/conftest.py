from tests.control_fixtures import control, file_home, file_store, home, journal, second_store, store

__all__ = ["control", "file_home", "file_store", "home", "journal", "second_store", "store"]
