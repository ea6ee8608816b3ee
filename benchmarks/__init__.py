"""One script per claim: each measures ours and the peer in one run and writes ``results/<name>.json``."""

from recsys.threads import wait_briefly

wait_briefly()
