"""`python -m hocvuso_cli`: the command `hocvuso` where its script is not on the path."""

from hocvuso_cli.app import main

if __name__ == "__main__":
    main()
