"""Array.prototype.sort of V8: stable, and the same where the comparison contradicts itself.

A comparison with an unreadable date is NaN, which counts as a tie, so "ties with" is no longer
transitive and the result depends on the algorithm. Python's own sort changed twice since it was the
model of V8's. Upstream: V8, third_party/v8/builtins/array-sort.tq; the algorithm is Tim Peters's
listsort, here without the optimisations that never change a result.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

T = TypeVar("T")
Compare = Callable[[T, T], float]

_SHORT: Final = 64
_FIRST_GALLOP: Final = 7


def sort_as_v8(items: Sequence[T], compare: Compare[T]) -> list[T]:
    """Return the items as ``[...items].sort(compare)`` does; below zero puts the first first."""
    sorting = _Sorting(list(items), compare)
    sorting.run()
    return sorting.items


@dataclass(slots=True)
class _Sorting(Generic[T]):
    """The items being sorted, and the runs found so far as (start, length)."""

    items: list[T]
    compare: Compare[T]
    runs: list[tuple[int, int]] = field(default_factory=list)
    min_gallop: int = _FIRST_GALLOP

    def run(self) -> None:
        """Cut the items into runs, each ascending, and merge neighbours as they come."""
        start, end = 0, len(self.items)
        shortest = _shortest_run(end)
        while start < end:
            length = self._ascending_run(start)
            if length < shortest:
                wanted = min(shortest, end - start)
                self._insert_into_run(start, start + length, start + wanted)
                length = wanted
            self.runs.append((start, length))
            self._restore_balance()
            start += length
        while len(self.runs) > 1:
            self._merge_at(self._smaller_neighbour(len(self.runs) - 2))

    def _ascending_run(self, start: int) -> int:
        """Return how many items from start on ascend, or descend: those are then reversed."""
        items, end = self.items, len(self.items)
        if start + 1 == end:
            return 1
        descending = self.compare(items[start + 1], items[start]) < 0
        stop = start + 2
        while stop < end and (self.compare(items[stop], items[stop - 1]) < 0) == descending:
            stop += 1
        if descending:
            items[start:stop] = items[start:stop][::-1]
        return stop - start

    def _insert_into_run(self, start: int, first: int, end: int) -> None:
        """Insert items[first:end], one by one, by bisection, into the run from start to first."""
        items = self.items
        for at in range(first, end):
            pivot = items[at]
            left, right = start, at
            while left < right:
                middle = left + (right - left) // 2
                if self.compare(pivot, items[middle]) < 0:
                    right = middle
                else:
                    left = middle + 1
            items[left : at + 1] = [pivot, *items[left:at]]

    def _restore_balance(self) -> None:
        """Merge the last runs until each is longer than the two after it together."""
        while len(self.runs) > 1:
            last_but_one = len(self.runs) - 2
            if not (self._holds_at(last_but_one + 1) and self._holds_at(last_but_one)):
                self._merge_at(self._smaller_neighbour(last_but_one))
            elif self.runs[last_but_one][1] <= self.runs[last_but_one + 1][1]:
                self._merge_at(last_but_one)
            else:
                return

    def _holds_at(self, index: int) -> bool:
        lengths = [length for _, length in self.runs]
        return index < 2 or lengths[index - 2] > lengths[index - 1] + lengths[index]  # noqa: PLR2004

    def _smaller_neighbour(self, index: int) -> int:
        """Return where to merge: before the run at index if what lies there is the shorter."""
        before = index > 0 and self.runs[index - 1][1] < self.runs[index + 1][1]
        return index - 1 if before else index

    def _merge_at(self, index: int) -> None:
        """Merge the run at index with the next, leaving alone what already is in place."""
        (start, left_length), (middle, right_length) = self.runs[index : index + 2]
        self.runs[index : index + 2] = [(start, left_length + right_length)]
        left = self.items[start:middle]
        right = self.items[middle : middle + right_length]
        in_place = self._gallop_right(right[0], left, 0)
        left = left[in_place:]
        if not left:
            return
        right = right[: self._gallop_left(left[-1], right, len(right) - 1)]
        if not right:
            return
        merge = self._merge_forwards if len(left) <= len(right) else self._merge_backwards
        begin = start + in_place
        self.items[begin : begin + len(left) + len(right)] = merge(left, right)

    def _merge_forwards(self, left: list[T], right: list[T]) -> list[T]:
        """Merge from the front; the last of the left run is known to come last of all."""
        merged, a, b = [right[0]], 0, 1
        while b < len(right) and a < len(left) - 1:
            a, b = self._step_forwards(left, right, (a, b), merged)
            if b == len(right) or a >= len(left) - 1:
                break
            a, b = self._gallop_forwards(left, right, (a, b), merged)
        if b == len(right):
            return merged + left[a:]
        return merged + right[b:] + left[a:]

    def _step_forwards(
        self, left: list[T], right: list[T], at: tuple[int, int], merged: list[T]
    ) -> tuple[int, int]:
        """Merge item by item until one side wins so often in a row that galloping pays."""
        (a, b), a_wins, b_wins = at, 0, 0
        while max(a_wins, b_wins) < self.min_gallop:
            if self.compare(right[b], left[a]) < 0:
                merged.append(right[b])
                b, a_wins, b_wins = b + 1, 0, b_wins + 1
                if b == len(right):
                    break
            else:
                merged.append(left[a])
                a, a_wins, b_wins = a + 1, a_wins + 1, 0
                if a == len(left) - 1:
                    break
        return a, b

    def _gallop_forwards(
        self, left: list[T], right: list[T], at: tuple[int, int], merged: list[T]
    ) -> tuple[int, int]:
        """Merge stretch by stretch for as long as the stretches are long."""
        a, b = at
        self.min_gallop += 1
        a_wins = b_wins = _FIRST_GALLOP
        while max(a_wins, b_wins) >= _FIRST_GALLOP:
            self.min_gallop = max(1, self.min_gallop - 1)
            a_wins = self._gallop_right(right[b], left[a:], 0)
            merged += left[a : a + a_wins]
            a += a_wins
            if a >= len(left) - 1:
                return a, b
            merged.append(right[b])
            b += 1
            if b == len(right):
                return a, b
            b_wins = self._gallop_left(left[a], right[b:], 0)
            merged += right[b : b + b_wins]
            b += b_wins
            if b == len(right):
                return a, b
            merged.append(left[a])
            a += 1
            if a == len(left) - 1:
                return a, b
        self.min_gallop += 1
        return a, b

    def _merge_backwards(self, left: list[T], right: list[T]) -> list[T]:
        """Merge from the back; the first of the right run is known to come first of all."""
        merged, a, b = [left[-1]], len(left) - 1, len(right)
        while a > 0 and b > 1:
            a, b = self._step_backwards(left, right, (a, b), merged)
            if a == 0 or b <= 1:
                break
            a, b = self._gallop_backwards(left, right, (a, b), merged)
        merged.reverse()
        if a == 0:
            return right[:b] + merged
        return right[:b] + left[:a] + merged

    def _step_backwards(
        self, left: list[T], right: list[T], at: tuple[int, int], merged: list[T]
    ) -> tuple[int, int]:
        """Merge item by item, as ``_step_forwards``; ``merged`` grows from the last item on."""
        (a, b), a_wins, b_wins = at, 0, 0
        while max(a_wins, b_wins) < self.min_gallop:
            if self.compare(right[b - 1], left[a - 1]) < 0:
                merged.append(left[a - 1])
                a, a_wins, b_wins = a - 1, a_wins + 1, 0
                if a == 0:
                    break
            else:
                merged.append(right[b - 1])
                b, a_wins, b_wins = b - 1, 0, b_wins + 1
                if b == 1:
                    break
        return a, b

    def _gallop_backwards(
        self, left: list[T], right: list[T], at: tuple[int, int], merged: list[T]
    ) -> tuple[int, int]:
        """Merge stretch by stretch, as ``_gallop_forwards``, from the back."""
        a, b = at
        self.min_gallop += 1
        a_wins = b_wins = _FIRST_GALLOP
        while max(a_wins, b_wins) >= _FIRST_GALLOP:
            self.min_gallop = max(1, self.min_gallop - 1)
            a_wins = a - self._gallop_right(right[b - 1], left[:a], a - 1)
            merged += left[a - a_wins : a][::-1]
            a -= a_wins
            if a == 0:
                return a, b
            merged.append(right[b - 1])
            b -= 1
            if b == 1:
                return a, b
            b_wins = b - self._gallop_left(left[a - 1], right[:b], b - 1)
            merged += right[b - b_wins : b][::-1]
            b -= b_wins
            if b <= 1:
                return a, b
            merged.append(left[a - 1])
            a -= 1
            if a == 0:
                return a, b
        self.min_gallop += 1
        return a, b

    def _gallop_left(self, key: T, items: list[T], hint: int) -> int:
        """Return where the key belongs among ascending items: before those it ties with."""
        return _gallop(items, hint, lambda item: self.compare(item, key) < 0)

    def _gallop_right(self, key: T, items: list[T], hint: int) -> int:
        """Return where the key belongs among ascending items: after those it ties with."""
        return _gallop(items, hint, lambda item: not self.compare(key, item) < 0)


def _gallop(items: list[T], hint: int, comes_before: Callable[[T], bool]) -> int:
    """Return how many items come before a key: leap ever further from the hint, then bisect."""
    last, leap = 0, 1
    if comes_before(items[hint]):
        room = len(items) - hint
        while leap < room and comes_before(items[hint + leap]):
            last, leap = leap, 2 * leap + 1
        low, high = hint + last + 1, hint + min(leap, room)
    else:
        room = hint + 1
        while leap < room and not comes_before(items[hint - leap]):
            last, leap = leap, 2 * leap + 1
        low, high = hint - min(leap, room) + 1, hint - last
    while low < high:
        middle = low + (high - low) // 2
        if comes_before(items[middle]):
            low = middle + 1
        else:
            high = middle
    return low


def _shortest_run(count: int) -> int:
    """Return how short a run may be: the count's first six bits, rounded up."""
    odd = 0
    while count >= _SHORT:
        odd |= count & 1
        count //= 2
    return count + odd
