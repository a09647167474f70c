-- Run once by the image, when the cluster is made: one role per service, each with its own password
-- from its own file. A role may create its own schema and sees no other role's tables; what registry
-- may read of metrics (the views `indicators.*`) metrics grants itself.
\set ON_ERROR_STOP on

REVOKE CONNECT, TEMPORARY ON DATABASE hocvuso FROM PUBLIC;

\set password `cat /run/secrets/activities_database_password`
CREATE ROLE hocvuso_activities LOGIN PASSWORD :'password';
\set password `cat /run/secrets/metrics_database_password`
CREATE ROLE hocvuso_metrics LOGIN PASSWORD :'password';
\set password `cat /run/secrets/registry_database_password`
CREATE ROLE hocvuso_registry LOGIN PASSWORD :'password';
\unset password

-- It measures how old everybody's transactions are.
GRANT pg_read_all_stats TO hocvuso_activities;
GRANT CONNECT, TEMPORARY, CREATE ON DATABASE hocvuso
  TO hocvuso_activities, hocvuso_metrics, hocvuso_registry;
