#!/bin/sh
# Makes the secrets of docker-compose.yml in HOCVUSO_SECRETS (../hocvuso-secrets, beside the repository: what an
# image is built from never holds them), each random, each in its file, a self-signed certificate for the origin,
# to start a pilot with, and an authority of its own with the certificates of PostgreSQL and Kafka. Secrets in
# deploy/docker/secrets/, where they once were, are moved there.
# A file that exists is left as it is: run it again whenever you like.
#
#   deploy/docker/make-secrets.sh [NAME...]     the certificate's names besides localhost
#
# The directory is closed to everybody else. The files in it are readable, because Docker mounts
# them as they are and the programs in the containers run as users of their own.
set -eu

here="$(cd "$(dirname "$0")" && pwd)"
top="$(cd "$here/../.." && pwd)"
# As docker compose takes it: from the top of the repository.
folder="$(cd "$top" && mkdir -p "${HOCVUSO_SECRETS:-../hocvuso-secrets}" && cd "${HOCVUSO_SECRETS:-../hocvuso-secrets}" && pwd)"
case "$folder/" in
    "$top"/*) echo "HOCVUSO_SECRETS must lie outside of $top: images are built from there" >&2; exit 1 ;;
esac
chmod 700 "$folder"
if [ -d "$here/secrets" ]; then
    for old in "$here/secrets"/*; do
        [ -e "$old" ] || continue
        [ ! -e "$folder/${old##*/}" ] || { echo "two of ${old##*/}: in $here/secrets and in $folder; keep the right one" >&2; exit 1; }
        mv "$old" "$folder/"
        echo "moved    $folder/${old##*/}"
    done
    rmdir "$here/secrets"
fi

random_hex() { od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n'; }

for name in postgres_password activities_database_password metrics_database_password \
            registry_database_password pseudonym_key grafana_admin_password; do
    if [ -e "$folder/$name" ]; then
        echo "kept     $folder/$name"
    else
        # Whole or absent: a cut file would be a wrong password for ever.
        random_hex > "$folder/$name.new"
        chmod 444 "$folder/$name.new"
        mv "$folder/$name.new" "$folder/$name"
        echo "made     $folder/$name"
    fi
done

command -v openssl > /dev/null || { echo "openssl is needed for the certificates" >&2; exit 1; }

if [ -e "$folder/origin_certificate" ] && [ -e "$folder/origin_key" ]; then
    echo "kept     $folder/origin_certificate and origin_key"
elif [ -e "$folder/origin_certificate" ] || [ -e "$folder/origin_key" ]; then
    echo "origin_certificate and origin_key belong together, but one is missing in $folder:" >&2
    echo "put it there, or remove the other" >&2
    exit 1
else
    names="DNS:localhost,IP:127.0.0.1"
    for name in "$@"; do names="$names,DNS:$name"; done
    # Not an authority (CA:FALSE): whoever gets the key cannot make certificates of other names
    # for those who trust this one.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 397 \
        -subj "/CN=${1:-localhost}" -addext "subjectAltName=$names" \
        -addext "basicConstraints=critical,CA:FALSE" \
        -keyout "$folder/origin_key.new" -out "$folder/origin_certificate.new" 2> /dev/null
    chmod 444 "$folder/origin_key.new" "$folder/origin_certificate.new"
    mv "$folder/origin_key.new" "$folder/origin_key"
    mv "$folder/origin_certificate.new" "$folder/origin_certificate"
    echo "made     $folder/origin_certificate and origin_key ($names, 397 days, self-signed)"
fi

# Inside: whoever trusts internal_authority knows PostgreSQL and Kafka. The authority's own key is thrown away once
# both are signed, so nobody can make a third; to renew, remove these four files and run this again.
inside="internal_authority postgres_certificate postgres_key kafka_identity"
there=0
for name in $inside; do [ ! -e "$folder/$name" ] || there=$((there + 1)); done
if [ "$there" = 4 ]; then
    echo "kept     $folder/internal_authority and what it signed"
elif [ "$there" != 0 ]; then
    echo "$inside belong together, but some are missing in $folder: remove the others" >&2
    exit 1
else
    work="$folder/.inside"
    rm -rf "$work"
    mkdir -m 700 "$work"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 1096 -subj "/CN=hocvuso inside" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign" \
        -keyout "$work/key" -out "$work/internal_authority" 2> /dev/null
    for name in postgres kafka; do
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=$name" \
            -keyout "$work/${name}_key" -out "$work/request" 2> /dev/null
        printf 'subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n' "$name" \
            > "$work/extensions"
        openssl x509 -req -in "$work/request" -CA "$work/internal_authority" -CAkey "$work/key" -CAcreateserial -CAserial "$work/serial" \
            -days 1096 -extfile "$work/extensions" -out "$work/${name}_certificate" 2> /dev/null
    done
    # As Kafka reads it: the key, its certificate, the authority, in one file.
    cat "$work/kafka_key" "$work/kafka_certificate" "$work/internal_authority" > "$work/kafka_identity"
    for name in $inside; do
        chmod 444 "$work/$name"
        mv "$work/$name" "$folder/$name"
    done
    rm -rf "$work"
    echo "made     $folder/internal_authority, postgres_certificate, postgres_key, kafka_identity (1096 days)"
fi

echo
echo "Back up $folder/pseudonym_key now, apart from the database."
echo "Without it the log accepts nothing more; with another one everybody would count again."
