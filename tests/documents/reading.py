"""What every draft must hold to, whatever it says."""

import re

from services.registry.documents.compose import Draft


def every_number_is_a_figure(draft: Draft) -> None:
    """Digits of a sentence stand in the text of the figures it names, or in its constant words."""
    constant = {"7"}  # "muộn hơn 7 ngày"
    for sentence in draft.sentences():
        said = "  ".join(draft.figures[key].text for key in sentence.figures)
        for number in set(re.findall(r"\d[\d.,/]*\d|\d", sentence.text)) - constant:
            parts = [number] if number in said else number.split("/")
            assert all(part in said for part in parts), (sentence, number)
