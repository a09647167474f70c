#!/bin/sh
# Makes the secrets of docker-compose.yml in deploy/docker/secrets/, each random, each in its file.
# A file that exists is left as it is: run it again whenever you like.
#
# The directory is closed to everybody else. The files in it are readable, because Docker mounts
# them as they are and the programs in the containers run as users of their own.
set -eu

folder="$(cd "$(dirname "$0")" && pwd)/secrets"
mkdir -p "$folder"
chmod 700 "$folder"

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

echo
echo "Back up $folder/pseudonym_key now, apart from the database."
echo "Without it the log accepts nothing more; with another one everybody would count again."
