#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks who includes whom: the table below has each folder that another may include, so that a new edge is a
# decision, and one that is no longer used is taken out. And who makes system calls, and who calls libext2fs.
# Usage: layers_test.sh PROJECT_DIRECTORY
set -eu
export LC_ALL=C
cd "$1"
failures=0

edges='
base:              base/file
base/file:         base
base/process:      base base/file
base/live:         base base/process

image:             base

nbd:               base base/process
nbd/none:          nbd

qcow2/format:      base image
qcow2/codec:       base qcow2/format
qcow2/read:        base base/file base/process image qcow2/format qcow2/codec
qcow2/write:       base base/file image qcow2/format qcow2/codec
qcow2/check:       base qcow2/format qcow2/read
qcow2/overlay:     base qcow2/format qcow2/read qcow2/write qcow2/check

ext2/structures:   base base/file
ext2/journal:      base base/file ext2/structures
ext2/interpretation: base base/file ext2/structures ext2/journal
ext2/selection:    base image ext2/structures ext2/journal ext2/interpretation
ext2/names:        base ext2/structures ext2/selection
ext2/anonymize/replacement: base ext2/structures
ext2/anonymize/names:      base ext2/structures ext2/anonymize/replacement
ext2/anonymize/structures: base ext2/structures ext2/anonymize/replacement ext2/anonymize/names
ext2/anonymize/journal:    base ext2/structures ext2/journal ext2/anonymize/replacement
ext2/anonymize:    base base/file ext2/structures ext2/selection
ext2/anonymize:    ext2/anonymize/replacement ext2/anonymize/names ext2/anonymize/structures ext2/anonymize/journal
ext2/texts:        base ext2/structures ext2/journal ext2/interpretation ext2/selection

work:              base base/file base/process image nbd
work:              qcow2/format qcow2/codec qcow2/read qcow2/write qcow2/check
work:              ext2/structures ext2/interpretation ext2/selection ext2/names ext2/journal ext2/anonymize

work/live:         base base/file base/live base/process image work ext2/journal

work/audit:        base base/file image qcow2/read work
work/audit:        ext2/structures ext2/interpretation ext2/selection ext2/texts

cli:               cli/completion base base/file base/process image nbd work work/live work/audit plugin
cli:               qcow2/format qcow2/read qcow2/check
plugin:            base base/file base/process work qcow2/format qcow2/read qcow2/overlay
e2image_compat:    base base/file base/process image work
e2image_compat:    qcow2/format qcow2/write ext2/structures ext2/selection
'

# Outside of base: files that may include headers of the system, and folders that may include libext2fs.
system_callers='
src/cli/progress.cpp
src/ext2/structures/inode.h
src/plugin/image_registry.cpp
src/plugin/next_function.h
src/plugin/preload.cpp
src/plugin/preload_logdump.cpp
src/plugin/preload_start.cpp
e2image_compat/classic.cpp
e2image_compat/options.cpp
e2image_compat/qcow2_api.cpp
'
ext2fs_callers='
src/ext2/structures
src/ext2/anonymize
src/ext2/anonymize/names
src/ext2/anonymize/structures
src/ext2/journal
src/plugin
e2image_compat
'

complain() {
  echo "$1" >&2
  failures=$((failures + 1))
}

# "FILE HEADER" for each #include of the project's files.
includes() {
  grep -rE '^ *# *include +[<"]' --include='*.h' --include='*.cpp' src e2image_compat |
    sed -E 's/^([^:]+): *# *include +[<"]([^>"]+).*/\1 \2/'
}

# "FOLDER INCLUDED", each once.
folder_edges() {
  includes | grep -E ' (base|image|nbd|qcow2|ext2|work|cli|plugin|e2image_compat)/' |
    sed -E 's|^src/||; s|/[^/ ]+ | |; s|/[^/]+$||' | awk '$1 != $2' | sort -u
}

wanted=$(mktemp)
found=$(mktemp)
trap 'rm -f "$wanted" "$found"' EXIT
echo "$edges" | awk '{ sub(":", "", $1); for (i = 2; i <= NF; ++i) print $1, $i }' | sort -u >"$wanted"
folder_edges >"$found"
new=$(comm -13 "$wanted" "$found")
old=$(comm -23 "$wanted" "$found")
[ -z "$new" ] || complain "includes that are not in the table: $new"
[ -z "$old" ] || complain "in the table, but nobody includes it: $old"

for file in $(includes | grep -E '^src/base/.* e2qcow/image\.h$' | cut -d' ' -f1); do
  complain "$file: base includes nothing above it"
done
for file in $(includes | grep -E ' (unistd|fcntl|dlfcn|pthread|poll|spawn|sys/[a-z]+|linux/.*)\.h$' |
  grep -v '^src/base/' | cut -d' ' -f1); do
  echo "$system_callers" | grep -qx "$file" || complain "$file: system calls are for base"
done
for file in $(includes | grep -E ' ((ext2fs|e2p)/.*|ext2fs\.h)$' | cut -d' ' -f1); do
  echo "$ext2fs_callers" | grep -qx "$(dirname "$file")" || complain "$file: libext2fs is for ext2 and the borders to C"
done
for file in $(includes | grep -E ' libnbd\.h$' | cut -d' ' -f1); do
  [ "$(dirname "$file")" = src/nbd ] || complain "$file: libnbd is for nbd"
done
exit "$failures"
