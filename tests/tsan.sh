#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The work of several threads under the thread sanitizer: the unit tests of what they share, and the program.
#   tests/tsan.sh BUILD_DIRECTORY
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$build"/bin/unit_tests --gtest_brief=1
mke2fs -q -t ext4 -d src "$work/fs" 64M
for how in zstd zlib none; do
  "$build"/bin/e2qcow dump -q --all --compress $how --threads 4 "$work/fs" "$work/$how.qcow2"
  "$build"/bin/e2qcow restore -q --threads 4 "$work/$how.qcow2" "$work/restored"
  cmp "$work/fs" "$work/restored"
  "$build"/bin/e2qcow restore -q --threads 4 - "$work/restored" <"$work/$how.qcow2"
  cmp "$work/fs" "$work/restored"
  "$build"/bin/e2qcow compare -q --threads 4 "$work/fs:raw" "$work/$how.qcow2"
  "$build"/bin/e2qcow check --data --threads 4 "$work/$how.qcow2" >/dev/null
  cp --sparse=always "$work/fs" "$work/changed"
  debugfs -w -R "write $0 script" "$work/changed" >/dev/null 2>&1
  "$build"/bin/e2qcow dump -q --all --compress $how --threads 4 --base "$work/$how.qcow2" "$work/changed" "$work/on"
  "$build"/bin/e2qcow restore -q --threads 4 --changes-only "$work/on" --backing "$work/$how.qcow2" "$work/restored"
  "$build"/bin/e2qcow compare -q --threads 4 --list "$work/changed:raw" "$work/on" --backing-b "$work/$how.qcow2"
done
echo "tsan: nothing found"
