#!/bin/bash
# Whether the broker at HOST PORT answers with its metadata: the smallest question that only a working one
# answers. Twenty bytes of the protocol (as deploy/local/kafka_probe.py) instead of a Java machine each time.
set -u
exec 3<> "/dev/tcp/${1:-kafka}/${2:-9092}" || exit 1
# Size 28; Metadata (3) version 5, correlation 7, "hocvuso-probe"; no topics, and none created.
printf '\x00\x00\x00\x1c\x00\x03\x00\x05\x00\x00\x00\x07\x00\x0dhocvuso-probe\x00\x00\x00\x00\x00' >&3
# Size, correlation, throttle, number of brokers: four bytes each.
read -r -a said <<< "$(head -c 16 <&3 | od -An -v -tu1 | tr '\n' ' ')"
[ "${#said[@]}" = 16 ] && [ "${said[7]}" = 7 ] && [ "$((said[14] * 256 + said[15]))" -gt 0 ]
