"""Sets of integers written as half-open spans.

`Spans` is a list of `(start, end)` with `start < end`, sorted, with a gap between any two: the one way to write a set.
"""

from collections.abc import Iterable, Sequence

Span = tuple[int, int]
Spans = list[Span]


def union(parts: Sequence[Spans]) -> Spans:
    """Everything that lies in at least one of the parts."""
    filled = [part for part in parts if part]
    if len(filled) < 2:
        return filled[0] if filled else []
    return merged(span for part in filled for span in part)


def merged(spans: Iterable[Span]) -> Spans:
    """The set covered by spans in any order, which may touch or overlap; none may be empty."""
    ordered = sorted(spans)
    if not ordered:
        return []
    result: Spans = []
    low, high = ordered[0]
    for start, end in ordered:
        if start > high:
            result.append((low, high))
            low, high = start, end
        elif end > high:
            high = end
    result.append((low, high))
    return result


def intersection(left: Spans, right: Spans) -> Spans:
    """Everything that lies in both."""
    result: Spans = []
    if not left or not right:
        return result
    lefts, rights = iter(left), iter(right)
    a_start, a_end = next(lefts)
    b_start, b_end = next(rights)
    while True:
        start = a_start if a_start > b_start else b_start
        end = a_end if a_end < b_end else b_end
        if start < end:
            result.append((start, end))
        following = next(lefts, None) if a_end <= b_end else next(rights, None)
        if following is None:
            return result
        if a_end <= b_end:
            a_start, a_end = following
        else:
            b_start, b_end = following


def complement(spans: Spans, start: int, end: int) -> Spans:
    """Everything of `[start, end)` that `spans` leaves out."""
    result: Spans = []
    at = start
    for low, high in spans:
        if low > at:
            result.append((at, min(low, end)))
        at = max(at, high)
        if at >= end:
            return result
    if at < end:
        result.append((at, end))
    return result
