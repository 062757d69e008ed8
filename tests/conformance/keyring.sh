#!/usr/bin/env bash
# Runs a program on its own D-Bus with an unlocked or locked keyring: keyring.sh open|locked PROGRAM
#
# HOME is a temporary folder. Bus and keyring are children of this script and are stopped by their pids.
set -euo pipefail
sort=$1
program=$2

children=()
finish() {
  for child in "${children[@]}"; do
    kill "$child" 2> /dev/null || true
    wait "$child" 2> /dev/null || true
  done
}
trap finish EXIT

# wait_for WHAT CHECK…: waits until the check succeeds, at most ten seconds.
wait_for() {
  local what=$1
  shift
  for _ in $(seq 100); do
    if "$@" &> /dev/null; then
      return
    fi
    sleep 0.1
  done
  echo "$what did not come up within ten seconds" >&2
  exit 1
}

dbus-daemon --session --nofork --nopidfile --nosyslog --print-address > "$HOME/bus" 2> "$HOME/bus.log" &
children=("$!")
wait_for 'the bus' grep -q . "$HOME/bus"
DBUS_SESSION_BUS_ADDRESS=$(head -n 1 "$HOME/bus")
export DBUS_SESSION_BUS_ADDRESS

keyring=(gnome-keyring-daemon --foreground --components=secrets --control-directory "$HOME/control")
if [[ $sort == open ]]; then
  "${keyring[@]}" --unlock <<< 'password' > "$HOME/keyring.log" 2>&1 &
else
  "${keyring[@]}" > "$HOME/keyring.log" 2>&1 &
fi
children=("$!" "${children[@]}")
has_owner() {
  dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
    string:org.freedesktop.secrets | grep -q true
}
wait_for 'the keyring' has_owner

"$program" "$sort"
