"""The pages of signing in and out, over a `Desk`."""

from tre.web.signin.desk import Desk
from tre.web.signin.pages import add_sign_in

__all__ = ["Desk", "add_sign_in"]
