#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is installed anywhere works there: e2image, and C programs that are built with the installed headers,
# libraries and pkg-config files alone. Usage: install_test.sh PROJECT_DIRECTORY BUILD_DIRECTORY
set -eu
PATH=$PATH:/usr/sbin:/sbin
unset DESTDIR
for program in cc c++ pkg-config mke2fs e2label qemu-img; do
  command -v "$program" >/dev/null && continue
  echo "$program is not installed" >&2
  [ -z "${E2QCOW_CI:-}" ] || exit 1
  exit 77
done
project=$1
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
prefix=$directory/prefix
cmake --install "$2" --prefix "$prefix" >"$directory/log"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name e2image_compat.pc)")
LD_LIBRARY_PATH=$(dirname "$(find "$prefix" -name libe2image_compat.so)")
export PKG_CONFIG_PATH LD_LIBRARY_PATH

# build PROGRAM SOURCE PACKAGE...
build() {
  program=$1 source=$2
  shift 2
  # shellcheck disable=SC2046  # several words
  cc -std=gnu99 -Wall -Wextra -Werror "$project/$source" -o "$directory/$program" $(pkg-config --cflags --libs "$@")
}
build restore tests/program/c/restore.c e2image_compat ext2fs com_err
build example tests/program/c/plugin_example.c e2qcow
# shellcheck disable=SC2046
c++ -x c++ -Wall -Wextra -Werror -fsyntax-only "$project/tests/program/c/plugin_example.c" $(pkg-config --cflags e2qcow)

cd "$directory"
mke2fs -q -F -t ext4 -L some-label disk.img 8M
qemu-img convert -f raw -c -O qcow2 -o compression_type=zstd disk.img image.qcow2
./restore image.qcow2 by-c.raw
cmp disk.img by-c.raw
LD_PRELOAD=$LD_LIBRARY_PATH/libe2image_compat.so e2image -r image.qcow2 by-theirs.raw
cmp disk.img by-theirs.raw
./example image.qcow2 | grep -q some-label
mkdir sbin
ln -s "$prefix/libexec/e2qcow/e2image" sbin/e2image
PATH=$directory/sbin:$PATH e2image -r image.qcow2 by-ours.raw
cmp disk.img by-ours.raw
[ "$(env -u LD_LIBRARY_PATH "$prefix/sbin/e2qcow" exec -- e2label image.qcow2)" = some-label ]
