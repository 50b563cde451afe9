"""What many ask to be written at one time is written together, and each is told of their own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from newsletter.pipeline.gathering import Gathering


def test_what_waits_is_written_together_and_each_gets_its_own_result():
    calls = []

    def write(items):
        calls.append(list(items))
        return [item * 2 for item in items]

    async def many():
        gathering = Gathering[int, int](write)
        return await asyncio.gather(*(gathering.put(n) for n in range(100)))

    assert asyncio.run(many()) == [2 * n for n in range(100)]
    assert calls == [list(range(100))]


def test_what_comes_while_others_are_written_is_written_next():
    begun, going, calls = threading.Event(), threading.Event(), []

    def write(items):
        calls.append(list(items))
        begun.set()
        going.wait(5)
        return items

    async def two():
        gathering = Gathering[int, int](write, seconds=0)
        first = gathering.put(1)
        await asyncio.to_thread(begun.wait, 5)
        rest = [gathering.put(2), gathering.put(3)]
        going.set()
        return await asyncio.gather(first, *rest)

    assert asyncio.run(two()) == [1, 2, 3]
    assert calls == [[1], [2, 3]]


def test_an_error_reaches_all_who_wait_for_it_and_none_after_them():
    def write(items):
        if 1 in items:
            raise OSError("the disk is full")
        return items

    async def some():
        gathering = Gathering[int, int](write)
        first = await asyncio.gather(gathering.put(1), gathering.put(2), return_exceptions=True)
        return first, await gathering.put(3)

    first, later = asyncio.run(some())
    assert [str(error) for error in first] == ["the disk is full"] * 2
    assert later == 3


def test_who_gave_up_before_their_turn_is_not_written():
    calls = []

    def write(items):
        calls.append(list(items))
        return items

    async def some():
        gathering = Gathering[int, int](write)
        gone, stays = gathering.put(1), gathering.put(2)
        gone.cancel()
        await stays
        await gathering.written()

    asyncio.run(some())
    assert calls == [[2]]


def test_written_waits_for_what_was_put_though_nobody_else_does():
    calls = []

    async def some():
        gathering = Gathering[int, int](lambda items: [calls.append(list(items))] * len(items))
        gathering.put(1)
        await gathering.written()
        return list(calls)

    assert asyncio.run(some()) == [[1]]


@pytest.mark.parametrize("turn", range(3))
def test_one_serves_several_event_loops_at_once_and_one_after_the_other(turn):
    gathering = Gathering[int, int](list)
    found = []

    def loop(number):
        async def put():
            return [await gathering.put(number * 100 + n) for n in range(20)]

        found.append(asyncio.run(put()) == [number * 100 + n for n in range(20)])

    threads = [threading.Thread(target=loop, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4
    assert asyncio.run(asyncio.wait_for(_put(gathering), 5)) == 7


async def _put(gathering):
    return await gathering.put(7)
