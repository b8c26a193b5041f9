#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk on which every read takes its time, as a file: nbdkit with a delay, behind nbdfuse.
#   slow_device.sh start DISK DIRECTORY DELAY [LOG]   serves DISK as DIRECTORY/nbd; LOG gets a line as each request
#                                                     begins and one as it ends
#   slow_device.sh stop DIRECTORY
# Exit status 77: cannot be done here.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

# nbdfuse serves ten requests at once, but over a single connection no more than some 3000 reads a second.
connections=16

need() {
  local program
  for program in nbdkit nbdfuse fusermount3; do
    command -v $program >/dev/null || { echo "$program is not installed" >&2; exit 77; }
  done
  [ -e /dev/fuse ] || { echo "there is no /dev/fuse" >&2; exit 77; }
}

start() {
  local disk=$1 delay=$3 log=${4:-}
  directory=$(realpath "$2")
  need
  touch "$directory/nbd"
  mkfifo "$directory/ready"
  trap 'stop "$directory"' EXIT
  trap 'exit 1' HUP INT TERM
  nbdkit -U "$directory/socket" -P "$directory/nbdkit" -t 64 ${log:+--filter=log} --filter=delay file "$disk" \
    "rdelay=$delay" ${log:+"logfile=$log"}
  { nbdfuse -r -C $connections -P "$directory/ready" "$directory/nbd" "nbd+unix:///?socket=$directory/socket" ||
    echo >"$directory/ready"; } >/dev/null 2>&1 </dev/null &
  [ -n "$(cat "$directory/ready")" ] || { echo "nbdfuse does not work here" >&2; exit 77; }
  trap - EXIT
}

# Also while somebody reads it, and of what was started in part.
stop() {
  fusermount3 -u -z "$1/nbd" 2>/dev/null || true
  [ ! -s "$1/nbdkit" ] || kill "$(cat "$1/nbdkit")" || true
  rm -f "$1/nbd" "$1/nbdkit" "$1/socket" "$1/ready"
}

case ${1:-} in
start | stop) "$@" ;;
*) sed -n '2,/^# Exit/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
