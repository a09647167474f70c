"""The three services. None imports another."""

import shared  # noqa: F401 - first of all: it spares every process what no service needs
