"""One script a claim: each measures ours and the peer in one run and writes ``results/<name>.json``."""
