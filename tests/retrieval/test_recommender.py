import numpy as np
import pytest

from recsys.embeddings import Embeddings
from recsys.errors import InputError, RecsysError
from recsys.learning.distances.cosine import Cosine
from recsys.ragged import Ragged
from recsys.retrieval.filters import Rules
from recsys.retrieval.recommender import Service
from recsys.storage.home import Home
from tests.factories import embeddings, run_folder, seen_rows


def oracle(model: Embeddings, seen: Ragged, user: int, k: int) -> list[str]:
    """The list by sorting every score in Python."""
    scores = Cosine().matrix(model.users[user : user + 1], model.items)[0]
    left = [item for item in range(len(model.items)) if item not in set(seen.row(user).tolist())]
    best = sorted(left, key=lambda item: (-scores[item], item))[:k]
    return [f"i{item}" for item in best]


@pytest.fixture
def service(home: Home) -> Service:
    titles = [f"Title {item}" if item else None for item in range(30)]
    return Service.open(run_folder(home, embeddings(), seen_rows(), titles=titles).path)


def names(service: Service, users: list[str], **options: object) -> list[list[str]]:
    return [[item.item for item in each.items] for each in service.recommend(users, **options)]  # type: ignore[arg-type]


def test_lists_are_the_true_ones_without_the_seen_items(service: Service) -> None:
    model, seen = embeddings(), seen_rows()
    assert names(service, ["u3", "u11", "u0"], k=7) == [oracle(model, seen, user, 7) for user in (3, 11, 0)]


def test_ranks_titles_and_scores_belong_together(service: Service) -> None:
    one = service.recommend(["u3"], k=30)[0]
    model = embeddings()
    assert [item.rank for item in one.items] == list(range(1, len(one.items) + 1))
    for item in one.items:
        code = int(item.item[1:])
        assert item.title == (f"Title {code}" if code else None)
        assert item.score == pytest.approx(
            float(Cosine().similarity(model.users[3], model.items[code])), abs=1e-6
        )


def test_seen_items_come_back_when_asked_for(service: Service) -> None:
    assert len(names(service, ["u3"], k=99, with_seen=True)[0]) == 30
    assert len(names(service, ["u3"], k=99)[0]) == 25


def test_rules_still_give_k_items(service: Service) -> None:
    model, seen = embeddings(), seen_rows()
    full = oracle(model, seen, 3, 30)
    exclude = np.arange(0, 30, 2, dtype=np.int32)
    assert (
        names(service, ["u3"], k=5, rules=Rules(exclude=exclude))[0]
        == [item for item in full if int(item[1:]) % 2][:5]
    )
    only = np.arange(1, 30, 3, dtype=np.int32)
    wanted = [item for item in full if int(item[1:]) % 3 == 1]
    assert names(service, ["u3"], k=5, rules=Rules(only=only))[0] == wanted[:5]
    both = names(service, ["u3", "u11"], k=30, rules=Rules(exclude=exclude, only=only))
    assert both[0] == [item for item in wanted if int(item[1:]) % 2]
    assert names(service, ["u3"], k=5, rules=Rules(only=np.array([], dtype=np.int32))) == [[]]


def test_an_unknown_user_is_an_error_that_says_what_to_do(service: Service) -> None:
    with pytest.raises(InputError) as error:
        service.recommend(["u1", "u42"])
    assert str(error.value) == (
        "unknown user id 'u42'; train on it, give --history, or set --unknown popular"
    )


def test_unknown_users_get_popular_items_or_nothing(service: Service) -> None:
    seen = seen_rows()
    counts = np.bincount(seen.indices, minlength=30)
    best = sorted(range(30), key=lambda item: (-counts[item], item))[:4]
    assert (
        names(service, ["x", "u1", "y"], k=4, unknown="popular")[0::2] == [[f"i{item}" for item in best]] * 2
    )
    assert [each.user for each in service.recommend(["x", "u1", "y"], unknown="skip")] == ["u1"]
    assert service.recommend(["x"], unknown="skip") == []


def test_a_history_is_served_without_its_own_items(service: Service) -> None:
    one, unknown = service.recommend_history(["i4", "nothing", "i7", "i4"], k=30)
    assert unknown == ["nothing"]
    assert one.user is None
    assert len(one.items) == 28
    model = embeddings()
    units = model.items / np.linalg.norm(model.items, axis=1, keepdims=True)
    scores = Cosine().matrix((units[4] + units[7])[None, :], model.items)[0]
    assert [item.item for item in one.items[:3]] == [
        f"i{item}" for item in sorted(set(range(30)) - {4, 7}, key=lambda item: -scores[item])[:3]
    ]
    with pytest.raises(InputError, match="no item of the history is known to run run-1: a, b"):
        service.recommend_history(["a", "b"])


def test_similar_leaves_itself_out(service: Service) -> None:
    model = embeddings()
    scores = Cosine().matrix(model.items[5:6], model.items)[0]
    wanted = sorted(set(range(30)) - {5}, key=lambda item: -scores[item])[:4]
    assert [each.item for each in service.similar(item="i5", k=4)] == [f"i{item}" for item in wanted]
    scores = Cosine().matrix(model.users[5:6], model.users)[0]
    wanted = sorted(set(range(12)) - {5}, key=lambda user: -scores[user])
    assert [each.user for each in service.similar(user="u5", k=99)] == [f"u{user}" for user in wanted]


def test_similar_items_of_an_inner_product_are_asked_by_cosine(home: Home) -> None:
    model = embeddings(distance="dot")
    model.items[9] *= 100
    service = Service.open(run_folder(home, model, seen_rows()).path)
    scores = Cosine().matrix(model.items[5:6], model.items)[0]
    wanted = sorted(set(range(30)) - {5}, key=lambda item: -scores[item])[:4]
    assert [each.item for each in service.similar(item="i5", k=4)] == [f"i{item}" for item in wanted]


def test_unknown_ids_and_lengths_are_refused(service: Service) -> None:
    with pytest.raises(InputError, match="unknown item id 'x'; run run-1 knows 30 items"):
        service.similar(item="x")
    with pytest.raises(InputError, match="unknown user id 'x'; train on it"):
        service.similar(user="x")
    for ask in (service.recommend, service.recommend_history):
        with pytest.raises(InputError, match="k is 0; a list has at least 1 item"):
            ask(["u1"], k=0)


@pytest.mark.parametrize("k", [2.5, "3", None, 0, -1])
def test_a_length_that_is_none_is_refused(service: Service, k: object) -> None:
    with pytest.raises(InputError, match=f"k is {k!r}; a list has at least 1 item"):
        service.recommend(["u1"], k=k)  # type: ignore[arg-type]
    assert len(service.recommend(["u1"], k=np.int64(3))[0].items) == 3  # type: ignore[arg-type]


def test_a_wrong_choice_is_refused_even_where_it_decides_nothing(service: Service) -> None:
    with pytest.raises(InputError, match="unknown is 'Popular'; it is one of: error, popular, skip"):
        service.recommend(["u1"], unknown="Popular")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="index is 'fast'; it is one of: auto, annoy, exact"):
        Service.open(service.run.path, "fast")


def test_a_missing_user_is_an_error_or_passed_over(service: Service) -> None:
    with pytest.raises(InputError, match="user id 2 of 3 is missing"):
        service.recommend(["u1", None, "u2"])
    for unknown in ("skip", "popular"):
        found = service.recommend(["u1", None, float("nan"), ""], unknown=unknown)  # type: ignore[arg-type]
        assert [each.user for each in found] == ["u1"]


def test_a_changed_byte_is_found(home: Home) -> None:
    run = run_folder(home, embeddings(), seen_rows())
    path = run.model / "vectors.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(RecsysError, match=r"run run-1: model/vectors\.safetensors was changed: sha256"):
        Service.open(run.path)


def test_annoy_is_not_taken_for_granted(home: Home) -> None:
    run = run_folder(home, embeddings(), seen_rows())
    with pytest.raises(InputError, match="there is no index in"):
        Service.open(run.path, "annoy")
