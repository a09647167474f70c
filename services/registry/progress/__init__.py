"""How units come along: cold spots, share of units that meet a target, series, evidence, changes."""
