#!/bin/bash
# Starts the image's own entrypoint with the key of PostgreSQL's certificate where PostgreSQL takes it: in a file
# that belongs to the server's user and that nobody else reads. Secrets are mounted readable (make-secrets.sh).
set -eu
install -d -o postgres -g postgres -m 700 "${TLS_DIR:=/var/run/postgresql-tls}"
install -o postgres -g postgres -m 600 "${SECRETS_DIR:=/run/secrets}/postgres_key" "$TLS_DIR/key"
install -o postgres -g postgres -m 644 "$SECRETS_DIR/postgres_certificate" "$TLS_DIR/certificate"
exec "${NEXT_ENTRYPOINT:-docker-entrypoint.sh}" "$@"
