"""Names here and in MLflow."""


def to_mlflow(name: str) -> str:
    """A figure's name as MLflow allows it, which has no ``@``; ``from_mlflow`` is the inverse.

    Example:
        >>> to_mlflow("baseline/als/ndcg@20"), from_mlflow("baseline/als/ndcg_at_20")
        ('baseline/als/ndcg_at_20', 'baseline/als/ndcg@20')
    """
    return name.replace("@", "_at_")


def from_mlflow(name: str) -> str:
    """The inverse of ``to_mlflow``."""
    return name.replace("_at_", "@")


def registered(dataset: str) -> str:
    """The registered model whose versions are the runs of a dataset.

    Example:
        >>> registered("ml-100k")
        'recsys-ml-100k'
    """
    return f"recsys-{dataset}"
