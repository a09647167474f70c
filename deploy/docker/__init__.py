"""The system in containers: what the images run, and the files of `docker-compose.yml`."""
