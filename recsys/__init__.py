"""recsys: a recommender system on metric embeddings."""

__version__ = "0.1.0"
