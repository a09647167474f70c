# A copy of shared/identity, made by `make generate`; do not edit.
"""Persons and names brought to one form: identity numbers, phone numbers, names of places.

Pure, standard library only: the Python client carries a copy of this package (`make generate`).
"""
