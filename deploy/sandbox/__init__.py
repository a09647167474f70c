"""The simulator of a sandbox instance: a made-up course of a plan, posted like a partner would."""
