#!/bin/sh
# Debian's prometheus and promtool, unpacked into .tools/prometheus without being installed: for the
# tests of rules. Prints the directory. Nothing is fetched when they are there already.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
into="$root/.tools/prometheus"
if command -v promtool > /dev/null && command -v prometheus > /dev/null; then
    dirname "$(command -v promtool)"
    exit 0
fi
if [ ! -x "$into/usr/bin/promtool" ]; then
    command -v apt-get > /dev/null || { echo "promtool is not installed, and this is no Debian" >&2; exit 1; }
    draft=$(mktemp -d)
    trap 'rm -rf "$draft"' EXIT
    cd "$draft"
    apt-get download -qq prometheus > /dev/null 2>&1 ||
        { apt-get update -qq > /dev/null 2>&1 && apt-get download -qq prometheus > /dev/null 2>&1; } ||
        { echo "the package prometheus cannot be downloaded" >&2; exit 1; }
    mkdir -p "$into"
    dpkg-deb -x prometheus_*.deb "$into"
fi
echo "$into/usr/bin"
