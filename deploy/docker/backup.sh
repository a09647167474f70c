#!/bin/sh
# A backup a day into /backups, as `hocvuso backup` makes it: a directory with hocvuso.dump and
# manifest.json, whole or absent, of which the newest are kept. `backup.sh once` makes one and ends;
# `backup.sh check` says whether the newest is young enough. The pseudonym key is not in it.
set -eu

into=${BACKUP_DIR:-/backups}
keep=${BACKUP_KEEP:-14}
: "${PGHOST:=postgres}" "${PGUSER:=postgres}" "${PGDATABASE:=hocvuso}"
export PGHOST PGUSER PGDATABASE
if [ -n "${PGPASSWORD_FILE:-}" ]; then
    PGPASSWORD=$(cat "$PGPASSWORD_FILE")
    export PGPASSWORD
fi

about() {
    # Asked before the dump: it holds at least what this says.
    psql -XAtq -v ON_ERROR_STOP=1 <<SQL
SELECT json_build_object(
  'made_at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'),
  'position', c.position, 'epoch', c.epoch, 'sandbox', c.sandbox,
  'key_fingerprint', (SELECT encode(key_fingerprint, 'hex') FROM activities.privacy WHERE one),
  'revisions', json_build_object(
    'activities', (SELECT version_num FROM activities.alembic_version),
    'metrics', (SELECT version_num FROM metrics.alembic_version),
    'registry', (SELECT version_num FROM registry.alembic_version)),
  'postgres', current_setting('server_version'), 'sha256', '@SHA256@')
FROM activities.counter c WHERE one
SQL
}

once() {
    name=$(date -u +%Y-%m-%dT%H%M%SZ)
    draft="$into/.$name.new"
    mkdir -p "$into"
    rm -rf "$into"/.*.new
    mkdir -m 700 "$draft"
    said=$(about)
    pg_dump --format=custom --schema=activities --schema=metrics --schema=registry \
        --schema=indicators --file="$draft/hocvuso.dump"
    sum=$(sha256sum "$draft/hocvuso.dump" | cut -d ' ' -f 1)
    printf '%s\n' "$said" | sed "s/@SHA256@/$sum/" > "$draft/manifest.json"
    sync
    mv "$draft" "$into/$name"
    echo "made $into/$name"
    # Names sort by time; all but the newest go.
    ls -1 "$into" | sort -r | tail -n "+$((keep + 1))" | while read -r old; do
        rm -rf "${into:?}/$old"
    done
}

position() {
    psql -XAtq -c "SELECT position FROM activities.counter WHERE one" 2> /dev/null || echo 0
}

settled() {
    # The very first backup waits until the log has something and stands still for a minute (units and plans are
    # being loaded), an hour at most: else it would be an empty one, and the only one until the next day.
    tried=0
    before=0
    while [ "$tried" -lt "${BACKUP_SETTLE_TRIES:-60}" ]; do
        now=$(position)
        [ "$now" = 0 ] || [ "$now" != "$before" ] || return 0
        before=$now
        tried=$((tried + 1))
        sleep "${BACKUP_SETTLE_SECONDS:-60}"
    done
    [ "$(position)" != 0 ]
}

case "${1:-daily}" in
    once) once ;;
    check) [ -n "$(find "$into" -mindepth 2 -name manifest.json -mmin -1560 2> /dev/null)" ] ;;
    daily)
        [ -n "$(find "$into" -mindepth 2 -name manifest.json 2> /dev/null)" ] || until settled; do :; done
        while true; do
            once || echo "no backup was made; the next try is in an hour" >&2
            # Until the newest is a day old, looking once an hour.
            sleep 3600
            while [ -n "$(find "$into" -mindepth 2 -name manifest.json -mmin -1380 2> /dev/null)" ]; do
                sleep 3600
            done
        done
        ;;
    *) echo "backup.sh [daily|once|check]" >&2; exit 2 ;;
esac
