#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Plant markers in every place of small file systems; no anonymised dump may have one.

Each file system is dumped with --anonymize and restored. Then no marker is in the
image or the disk; e2fsck -fn and -fy report the same as for the original, names
aside; the kernel mounts it and finds each name as before; debugfs shows indices of
the same shape; names and slack are as they should be; and a key gives the same
bytes with one thread and four.

--control judges a plain dump, and then one by e2image -s: the plants must leak, and
of a plain dump the verdicts be the same. This shows that plants and judges work.
--damages N damages the file systems at random and judges each: no leak, the same
e2fsck -fn, status 0 or 3 within ten seconds. The seed is printed; `--seed S
--first N --damages 1` does one again.

Exit status: 0 all well, 1 something was not, 77 a program or a right is missing.
"""

import argparse
import concurrent.futures
import functools
import os
import random
import shutil
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import trial  # noqa: E402
from trial import fast_folder, status_without  # noqa: E402
import demands  # noqa: E402
import judges  # noqa: E402
from verdicts import verdicts  # noqa: E402
from builder import Builder, command, mounted  # noqa: E402
from damages import Damages  # noqa: E402
from dumper import Dumper  # noqa: E402
from kinds import CHANGED, DAMAGED, KINDS, LONG, MAY_DIFFER, STRICT  # noqa: E402

PROGRAMS = ("mke2fs", "e2fsck", "debugfs", "setarch", "mount", "cp")
trial.ENVIRONMENT["E2FSCK_TIME"] = "2100000000"  # past all times in the file systems


def judge_anonymized(kind, built, dumper, is_long):
    key, report = dumper.path("key"), dumper.path("key.report")
    problems = dumper.e2qcow(built.image, "key", "--anonymize", "--anonymize-key", key, "--threads", "4", "--report",
                             report)
    if problems:
        return problems
    problems += verdicts(kind, built.image, dumper.path("key.img"), dumper.folder, True, is_long)
    problems += demands.leaks(dumper.leaks(built.plants, "key"))
    problems += demands.key_problems(dumper, built.image, key)
    problems += demands.audit_problems(dumper, built.image)
    problems += dumper.our_e2image(built.image, "ours") or demands.leaks(dumper.leaks(built.plants, "ours"))
    if kind in CHANGED:
        problems += demands.stability_problems(dumper, built.image, "key", "--anonymize", "--anonymize-key", key)
        problems += demands.refusal_problems(dumper, built.image)
        problems += demands.audit_finds_problems(dumper, built)
    if kind in STRICT and dumper.offers_strict():
        problems += demands.strict_problems(dumper, built)
    return problems


def judge_control(kind, built, dumper):
    """A plain dump has all that it can have; and what is wrong with it is that, and nothing else."""
    problems = dumper.e2qcow(built.image, "plain")
    if problems:
        return problems, ""
    copied = dumper.path("plain.img")
    if kind not in DAMAGED | {"fast-commits"} and not (judges.same_directories(built.image, copied)
                                                       and judges.superblock_problems(built.image, copied)):
        problems.append("plain dump: the judges of names or superblocks have no complaint")
    if kind in CHANGED:
        problems += demands.stability_problems(dumper, built.image, "plain")
    expected, leaking = built.plants.held(), dumper.leaks(built.plants, "plain")
    problems += [f"plain dump: does not leak {place}" for place in sorted(expected - leaking)]
    problems += [f"plain dump: {problem}" for problem in
                 verdicts(kind, built.image, dumper.path("plain.img"), dumper.folder, with_names=False)]
    failed = dumper.e2image(built.image, "e2image")
    if failed:
        return problems, f"e2image -s: {failed[0].splitlines()[0]}"
    scrambled = dumper.leaks(built.plants, "e2image")
    differing = verdicts(kind, built.image, dumper.path("e2image.img"), dumper.folder, with_names=False)
    report = f"e2image -s leaks {len(scrambled)}; {len(differing)} verdicts differ"
    return problems, report


def build(kind, folder, seed):
    return KINDS[kind](lambda name: Builder(folder, seed, name))


def judge_kind(kind, arguments):
    """(problems, a line about it, number of places)."""
    with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
        try:
            built = build(kind, folder, arguments.seed)
            void = built.plants.names() - built.plants.leaks(built.image, is_disk=True)
            problems = [f"nothing is planted at: {place}" for place in sorted(void)]
            dumper = Dumper(arguments.program, folder)
            report = ""
            if arguments.control:
                found, report = judge_control(kind, built, dumper)
            else:
                found = judge_anonymized(kind, built, dumper, arguments.long)
            problems += found
            count = len(built.plants.names())
        except (Exception, SystemExit):  # of a judge that does not understand what it sees
            problems, report, count = [traceback.format_exc()], "", 0
        if problems and arguments.keep:
            shutil.copytree(folder, os.path.join(arguments.keep, kind), dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns("mnt"))
    return problems, report, count


def judge_all(arguments):
    print(f"seed {arguments.seed}", flush=True)
    total = failures = 0
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        running = {kind: pool.submit(judge_kind, kind, arguments) for kind in arguments.kinds}
        for kind, future in running.items():
            problems, report, count = future.result()
            total += count
            failures += bool(problems)
            print(f"{'FAILED' if problems else 'passed'}  {kind}: {count} places{report and '; '}{report}", flush=True)
            for problem in problems[:40]:
                print("        " + problem)
    print(f"{total} places; {len(arguments.kinds) - failures} of {len(arguments.kinds)} file systems passed")
    return 1 if failures else 0


shared = None  # what the processes that judge damages have in common


def judge_damage(number, keep):
    return shared.judge(number, keep)


def judge_damages(arguments):
    global shared
    print(f"seed {arguments.seed}, {arguments.damages} damages from {arguments.first} on", flush=True)
    with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
        built = {kind: build(kind, folder, arguments.seed) for kind in arguments.kinds if kind not in MAY_DIFFER}
        shared = Damages(built, arguments.seed, functools.partial(Dumper, arguments.program),
                         [] if arguments.control else ["--anonymize"])
        numbers = range(arguments.first, arguments.first + arguments.damages)
        failed = leaking = 0
        with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
            judged = pool.map(judge_damage, numbers, [arguments.keep] * len(numbers), chunksize=4)
            for number, (kind, problems) in zip(numbers, judged):
                failed += bool(problems)
                leaking += any("leak" in problem or "status" in problem for problem in problems)
                if problems:
                    print(f"{number} ({kind}): " + "; ".join(problems), flush=True)
    print(f"{arguments.damages - failed} of {arguments.damages} damages passed; {leaking} leak or cannot be dumped")
    # What is not understood becomes zeros, and then e2fsck may say another thing: in one of ten, and three more.
    allowed = 0 if arguments.control else arguments.damages / 10 + 3
    return 1 if leaking or failed > allowed else 0


def missing_right():
    """Why nothing can be planted by the kernel here, if it cannot."""
    if os.geteuid() != 0:
        return "this user is not root, who alone may mount"
    with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
        image = os.path.join(folder, "fs.img")
        with open(image, "wb") as file:
            file.truncate(1 << 20)
        try:
            command("mke2fs", "-q", "-F", image)
            with mounted(image, folder):
                return None
        except SystemExit as error:
            return str(error)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("e2qcow")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; default: all")
    parser.add_argument("--control", action="store_true")
    parser.add_argument("--damages", type=int, metavar="N", nargs="?", default=0,
                        const=40 * int(os.environ.get("E2QCOW_ROUNDS", "1")))
    parser.add_argument("--long", action="store_true", help="also judge what takes longer")
    parser.add_argument("--first", type=int, default=0)
    # In CI the same damages each time, so that what lands does not depend on luck.
    chosen = 1 if os.environ.get("E2QCOW_CI") else random.SystemRandom().randrange(1 << 32)
    parser.add_argument("--seed", type=int, default=chosen)
    parser.add_argument("--keep", metavar="DIR", help="keep what gave trouble")
    arguments = parser.parse_intermixed_args()
    arguments.program = os.path.abspath(arguments.e2qcow)
    arguments.kinds = arguments.kinds or [kind for kind in KINDS if arguments.long or kind not in LONG]
    return arguments


def main():
    arguments = parse()
    if status := status_without(PROGRAMS + (("e2image",) if arguments.control else ())):
        return status
    if reason := missing_right():
        print(reason, file=sys.stderr)
        return 1 if os.environ.get("E2QCOW_CI") else 77
    return judge_damages(arguments) if arguments.damages else judge_all(arguments)


if __name__ == "__main__":
    sys.exit(main())
