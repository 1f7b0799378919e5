"""Pseudonyms: keyed tokens in the place of direct identifiers, made in a process that holds the keys alone."""

from tre.catalogue import IdentifierType
from tre.pseudonyms.blocks import Identifiers, local_numbers
from tre.pseudonyms.keyring import add_epoch, create_keyring
from tre.pseudonyms.keys import Circle, Scope
from tre.pseudonyms.nhs import nhs_numbers
from tre.pseudonyms.process import Tokeniser
from tre.pseudonyms.tokens import TokenColumn

__all__ = [
    "Circle",
    "IdentifierType",
    "Identifiers",
    "Scope",
    "TokenColumn",
    "Tokeniser",
    "add_epoch",
    "create_keyring",
    "local_numbers",
    "nhs_numbers",
]
