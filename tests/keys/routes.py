"""Values for the parameters of the routes of activities."""

VALUES = {"prefix": "00000000", "partner": "somebody", "id": "00000000", "name": "s", "number": 1,
          "type_name": "class.held", "version": 1}  # fmt: skip
