#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks who includes whom: base <- image <- {qcow2, ext2} <- {cli, plugin, e2image_compat}; system calls in base
# alone; libext2fs in ext2 and at the borders to C alone. Usage: layers_test.sh PROJECT_DIRECTORY
set -eu
cd "$1"
failures=0

# forbid LAYER PATTERN WHY: no file of the layer has an #include that matches the pattern.
forbid() {
  directory=src/$1
  [ "$1" != e2image_compat ] || directory=e2image_compat
  [ -d "$directory" ] || return 0
  if grep -rnE "^ *# *include +[<\"]($2)" "$directory"; then
    echo "$directory: $3" >&2
    failures=$((failures + 1))
  fi
}

forbid base '(image|qcow2|ext2|cli|plugin|e2image_compat)/|e2qcow/image\.h' 'base includes nothing above it'
forbid image '(qcow2|ext2|cli|plugin|e2image_compat)/' 'image includes base alone'
forbid qcow2 '(ext2|cli|plugin|e2image_compat)/' 'qcow2 and ext2 never meet'
forbid ext2 '(qcow2|cli|plugin|e2image_compat)/' 'qcow2 and ext2 never meet'
forbid cli 'e2image_compat/' 'what both need belongs in a layer below'
forbid e2image_compat '(cli|plugin)/' 'what both need belongs in a layer below'
forbid plugin '(cli|e2image_compat)/' 'the borders stand beside each other'
for layer in base image qcow2 cli; do
  forbid "$layer" '(ext2fs|e2p)/|ext2fs\.h' 'libext2fs is for ext2 and the borders to C'
done
for layer in image qcow2 ext2; do
  forbid "$layer" '(unistd|fcntl|sys/(ioctl|mman|uio|types)|linux/.*)\.h' 'system calls are for base'
done
exit "$failures"
