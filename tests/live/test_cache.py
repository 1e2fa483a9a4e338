"""What the cache may serve: by exact key of a service and operation, by age, and never more than it may hold."""

import threading

from relkit.live.cache import AnswerCache
from relkit.policies.failure import FALLBACK_NEXT_MODEL, FALLBACK_NONE
from relkit.policies.freshness import FreshnessSettings


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_age_decides_what_is_served() -> None:
    clock = Clock()
    cache = AnswerCache(FreshnessSettings(60.0, 600.0), clock=clock)
    cache.keep("s", None, "k", "v")
    found = {}
    for clock.now_s in (59.0, 60.0, 659.0, 660.0):
        found[clock.now_s] = (
            cache.fresh("s", None, "k") is not None,
            cache.after_failure("s", None, "k", FALLBACK_NEXT_MODEL) is not None,
            cache.after_failure("s", None, "k", FALLBACK_NONE) is not None,
        )
    assert found == {
        59.0: (True, True, True), 60.0: (False, True, False), 659.0: (False, True, False), 660.0: (False, False, False),
    }  # fmt: skip


def test_a_key_belongs_to_its_service_and_operation() -> None:
    cache = AnswerCache()
    cache.keep("weather", "today", "Rome", "sun")
    assert cache.fresh("weather", "tomorrow", "Rome") is None
    assert cache.fresh("news", "today", "Rome") is None
    assert cache.fresh("weather", "today", "rome") is None


def test_the_answer_used_longest_ago_goes_first() -> None:
    cache = AnswerCache(entries=2)
    for key in "ab":
        cache.keep("s", None, key, key)
    assert cache.fresh("s", None, "a") is not None
    cache.keep("s", None, "c", "c")
    assert [cache.fresh("s", None, key) is not None for key in "abc"] == [True, False, True]
    assert len(cache) == 2
    cache.clear()
    assert len(cache) == 0


def test_an_answer_given_in_need_is_not_in_use() -> None:
    clock = Clock()
    cache = AnswerCache(FreshnessSettings(10.0, 600.0), entries=2, clock=clock)
    cache.keep("s", None, "a", "a")
    cache.keep("s", None, "b", "b")
    clock.now_s = 20.0
    assert cache.after_failure("s", None, "a", FALLBACK_NEXT_MODEL) is not None
    cache.keep("s", None, "c", "c")
    assert cache.after_failure("s", None, "a", FALLBACK_NEXT_MODEL) is None


def test_similar_questions_are_a_hook_that_is_off_by_default() -> None:
    def by_words(key: object, others: object) -> object:
        assert isinstance(others, list)
        return next((other for other in others if set(str(other).split()) == set(str(key).split())), None)

    plain, alike = AnswerCache(), AnswerCache(similar=by_words)
    for cache in (plain, alike):
        cache.keep("s", None, "room free today", "yes")
        cache.keep("other", None, "today free room", "no")
    assert plain.fresh("s", None, "today room free") is None
    found = alike.fresh("s", None, "today room free")
    assert found is not None
    assert (found.value, found.exact) == ("yes", False)
    assert alike.fresh("s", None, "tomorrow room free") is None


def test_many_threads_keep_it_within_its_size() -> None:
    cache = AnswerCache(entries=50)

    def work(number: int) -> None:
        for key in range(300):
            cache.keep("s", None, (number, key), key)
            cache.fresh("s", None, (number, key // 2))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache) == 50
