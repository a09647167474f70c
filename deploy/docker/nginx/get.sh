#!/bin/sh
# Debian's nginx, unpacked into .tools/nginx without being installed: for the tests of the origin.
# Prints the program. Nothing is fetched when it is there already.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
into="$root/.tools/nginx"
if [ ! -x "$into/usr/sbin/nginx" ]; then
    command -v apt-get > /dev/null || { echo "nginx is not installed, and this is no Debian" >&2; exit 1; }
    draft=$(mktemp -d)
    trap 'rm -rf "$draft"' EXIT
    cd "$draft"
    apt-get download -qq nginx > /dev/null 2>&1 ||
        { apt-get update -qq > /dev/null 2>&1 && apt-get download -qq nginx > /dev/null 2>&1; } ||
        { echo "the package nginx cannot be downloaded" >&2; exit 1; }
    mkdir -p "$into"
    dpkg-deb -x nginx_*.deb "$into"
fi
echo "$into/usr/sbin/nginx"
