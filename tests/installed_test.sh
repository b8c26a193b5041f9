#!/bin/sh
# Installs to a directory of its own, builds the example there as others would, and runs both on an image.
# Usage: installed_test.sh BUILD_DIRECTORY PROJECT_DIRECTORY
set -eu
build=$1
example=$2/tests/plugin/example.c
PATH=$PATH:/usr/sbin:/sbin
unset DESTDIR
for program in cc c++ pkg-config mke2fs dumpe2fs; do
  command -v "$program" >/dev/null || { echo "no $program"; [ -z "${E2QCOW_CI:-}" ] && exit 77 || exit 1; }
done
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
prefix=$directory/prefix
cd "$directory"
cmake --install "$build" --prefix "$prefix" >/dev/null

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name e2qcow.pc)")
LD_LIBRARY_PATH=$(dirname "$(find "$prefix" -name libe2qcow-io.so)")
export PKG_CONFIG_PATH LD_LIBRARY_PATH
# shellcheck disable=SC2046 # words of their own
cc -std=gnu99 -Wall -Wextra -Werror -o example "$example" $(pkg-config --cflags --libs e2qcow)
# shellcheck disable=SC2046
c++ -x c++ -Wall -Wextra -Werror -fsyntax-only "$example" $(pkg-config --cflags e2qcow)

mke2fs -q -F -t ext4 -L installed disk.img 16M
"$prefix"/sbin/e2qcow dump -q disk.img fs.qcow2
./example fs.qcow2 | grep '^installed: '
"$prefix"/sbin/e2qcow exec -- dumpe2fs -h fs.qcow2 | grep '^Filesystem volume name: *installed$'
