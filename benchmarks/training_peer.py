"""LensKit's FlexMF, preset bpr, on PyTorch: one negative per positive, an epoch at a time.

    PYTHON -m benchmarks.training_peer LOG.parquet DIM EPOCHS VECTORS.npz

Run by another interpreter (``RECSYS_PEER_PYTHON``), so it imports nothing of this project. The log has the
columns user and item, whole numbers from 0 on. Prints one JSON document.
"""

from __future__ import annotations

import json
import os
import sys
import time

# Compiling takes more than a minute and speeds up little of what takes the time.
os.environ.setdefault("LK_TORCH_COMPILE", "0")


def main() -> None:
    import numpy as np
    import pandas as pd
    from lenskit import __version__
    from lenskit.data import from_interactions_df
    from lenskit.flexmf import FlexMFImplicitConfig, FlexMFImplicitScorer
    from lenskit.training import TrainingOptions

    log, dim, epochs, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    frame = pd.read_parquet(log)
    data = from_interactions_df(frame.rename(columns={"user": "user_id", "item": "item_id"}))
    config = FlexMFImplicitConfig(preset="bpr", embedding_size=dim, epochs=epochs)
    scorer = FlexMFImplicitScorer(config)
    trainer = scorer.create_trainer(data, TrainingOptions(rng=0))
    taken = []
    for _ in range(epochs):
        started = time.perf_counter()
        trainer.train_epoch()
        taken.append(time.perf_counter() - started)
    trainer.finalize()
    vectors = {}
    for name, table, ids in (
        ("users", scorer.model.u_embed, scorer.users.ids()),
        ("items", scorer.model.i_embed, scorer.items.ids()),
    ):
        vectors[name] = np.zeros((int(ids.max()) + 1, dim), dtype=np.float32)
        vectors[name][ids] = table.weight.detach().cpu().numpy()
    np.savez(out, **vectors)
    print(json.dumps({
        "name": f"LensKit {__version__} FlexMF bpr",
        "seconds": sum(taken),
        "pairs_per_second": 2 * len(frame) * epochs / sum(taken),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
