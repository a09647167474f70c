"""`python -m deploy.local`: the command `hocvuso`."""

from deploy.local.cli import app

if __name__ == "__main__":
    app(prog_name="hocvuso")
