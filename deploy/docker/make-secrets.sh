#!/bin/sh
# Makes the secrets of docker-compose.yml in HOCVUSO_SECRETS (../hocvuso-secrets, beside the repository: what an
# image is built from never holds them), each random, each in its file, and a self-signed certificate for the
# origin, to start a pilot with. Secrets in deploy/docker/secrets/, where they once were, are moved there.
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

if [ -e "$folder/origin_certificate" ] && [ -e "$folder/origin_key" ]; then
    echo "kept     $folder/origin_certificate and origin_key"
elif [ -e "$folder/origin_certificate" ] || [ -e "$folder/origin_key" ]; then
    echo "origin_certificate and origin_key belong together, but one is missing in $folder:" >&2
    echo "put it there, or remove the other" >&2
    exit 1
else
    command -v openssl > /dev/null || { echo "openssl is needed for the origin's certificate" >&2; exit 1; }
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

echo
echo "Back up $folder/pseudonym_key now, apart from the database."
echo "Without it the log accepts nothing more; with another one everybody would count again."
