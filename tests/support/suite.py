# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the methods of a class that begin with test_."""

import os
import tempfile
import time
import traceback


class Missing(Exception):
    """What a test needs is not on this machine."""


def run_suite(tests, wanted, run_one, folder=None):
    """`wanted`: parts of names; none: all. `run_one` gets a name, and a folder of its own that it may use; it throws
    Missing, or another exception if the test fails. Returns the exit status, 77 if something was skipped: in CI that
    is a failure."""
    skipped, failed = [], []
    for name in [name for name in dir(tests) if name.startswith("test_")]:
        if wanted and not any(word in name for word in wanted):
            continue
        began = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(dir=folder) as own:
                run_one(name, own)
            print(f"passed: {name} ({time.monotonic() - began:.1f} s)", flush=True)
        except Missing as missing:
            skipped.append(name)
            print(f"SKIPPED: {name}: {missing} is missing", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed.append(name)
            print(f"FAILED: {name}\n{traceback.format_exc()}", flush=True)
    print(f"{len(skipped)} skipped, {len(failed)} failed: {' '.join(failed)}")
    if failed or (skipped and os.environ.get("E2QCOW_CI")):
        return 1
    return 77 if skipped else 0
