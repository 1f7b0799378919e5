"""Tokens in the place of NHS numbers: read, checked, encrypted in the process that alone holds the keys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa

from bench.houses import processor_time
from bench.report import Report, Target, milliseconds
from bench.scale import Scale
from tre.base.clock import SystemClock
from tre.pseudonyms import Tokeniser, create_keyring, nhs_numbers


def run(folder: Path, scale: Scale) -> Report:
    """Make tokens of a million numbers; processor time of both processes counts."""
    create_keyring(folder, SystemClock())
    count = scale.of(10**6, 10**4)
    column = _numbers(count)
    read, made = [], []
    with Tokeniser(folder) as tokeniser:
        both = psutil.Process(), psutil.Process(tokeniser._process.pid)
        for _ in range(scale.of(15, 2)):
            began = processor_time(both)
            numbers = nhs_numbers(column)
            between = processor_time(both)
            tokeniser.for_data_set("measured", numbers)
            read.append(between - began)
            made.append(processor_time(both) - between)
    whole = milliseconds("both", [one + other for one, other in zip(read, made, strict=True)])
    return Report(
        f"{count:,} NHS numbers become tokens",
        "Processor time of the caller and of the process that holds the keys together.",
        (milliseconds("reading and checking", read), milliseconds("tokens", made), whole),
        (Target("processor time, median", "ms", whole.median, 100),),
    )


def _numbers(count: int) -> pa.Array:
    """Return `count` valid numbers: nine digits and their check digit."""
    digits = np.random.default_rng(7).integers(0, 10, (2 * count, 9))
    check = 11 - digits @ np.arange(10, 1, -1) % 11
    check[check == 11] = 0
    valid = check < 10
    whole = np.column_stack([digits[valid], check[valid]])[:count].astype(np.uint8) + ord("0")
    text = whole.tobytes().decode()
    return pa.array([text[place : place + 10] for place in range(0, len(text), 10)])
