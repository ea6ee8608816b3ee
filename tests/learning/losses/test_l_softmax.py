import math

import pytest
from pytorch_metric_learning import losses as theirs

from recsys import plugins
from recsys.learning.losses.l_softmax import LSoftmax
from tests.learning import second_oracle
from tests.learning.scenes import scene


def liu(angle: float, m: int) -> float:
    """Liu et al. 2016, equation 6: (-1)^k cos(m t) - 2k on [k pi / m, (k + 1) pi / m]."""
    k = next(k for k in range(m) if angle <= (k + 1) * math.pi / m + 1e-12)
    return float((-1) ** k * math.cos(m * angle) - 2 * k)


def product(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize(("m", "ease"), [(1, 0.0), (2, 0.0), (4, 0.0), (3, 5.0)])
def test_the_paper_in_loops(m: int, ease: float) -> None:
    """Equation 4, from the points: lengths and angles, and a share of the plain product by section 4.3."""
    here = scene(seed=61, rows=20)
    ours = LSoftmax(m, ease)(here.pairs("dot"))
    assert ours.mask.tolist() == here.mask.any(1).tolist()
    for row in ours.mask.nonzero().flatten().tolist():
        user, own = here.users[row].tolist(), here.positives[row].tolist()
        lengths = math.hypot(*user) * math.hypot(*own)
        angle = math.acos(product(user, own) / lengths)
        f = (ease * product(user, own) + lengths * liu(angle, m)) / (1 + ease)
        negatives = [product(user, other) for other in here.candidates[here.mask[row]].tolist()]
        expected = -math.log(math.exp(f) / (math.exp(f) + sum(math.exp(neg) for neg in negatives)))
        assert ours.values[row].item() == pytest.approx(expected, abs=1e-8)


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # theirs, in its constructor
@pytest.mark.parametrize("m", [1, 2, 4])
def test_pytorch_metric_learning(m: int) -> None:
    here = scene(seed=62, used=1.0)
    ours = LSoftmax(m, ease=0.0)(here.pairs("dot")).values
    for row in range(6):
        loss = theirs.LargeMarginSoftmaxLoss(6, 4, margin=m, scale=1, reducer=second_oracle.mean())
        assert ours[row].item() == pytest.approx(second_oracle.on_classes(loss, here, row), abs=1e-6)


def test_a_distance_without_lengths_is_refused_with_those_it_takes() -> None:
    faults = plugins.mismatches({"loss": "l_softmax", "distance": "euclidean"})["loss"]
    assert faults == ["l_softmax needs an inner product, which euclidean is not; it takes: cosine, dot"]
    assert not plugins.mismatches({"loss": "l_softmax", "distance": "dot"})["loss"]


@pytest.mark.parametrize("options", [{"margin": 0}, {"margin": 1.5}, {"ease": -1.0}])
def test_invalid_values_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*; it must"):
        LSoftmax(**options)  # type: ignore[arg-type]
