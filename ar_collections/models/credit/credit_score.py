"""The score of a customer: plain functions of plain values.

The usual scorecard of trade credit: every criterion turns a value into points from 0 to 100, and
the score is their weighted mean over the criteria whose value is known,
``sum(weight * points) / sum(weight)``. What is unknown neither helps nor hurts, but it lowers
the coverage, the known share of all weights; with too little of it a score carries no grade.
"""

from typing import NamedTuple

# From this sub-score on a customer counts as able, or willing, to pay, unless told otherwise.
YES_FROM = 50
HIGHEST = 100
# How to treat a customer who is (able, willing) to pay.
WAYS = {
    (True, True): "negotiate",
    (False, True): "instalments",
    (True, False): "firm",
    (False, False): "legal",
}


class Band(NamedTuple):
    id: int
    # The lowest value of the band; of no meaning for options to choose from.
    value_from: float
    points: float


class Range(NamedTuple):
    """The scores that earn a grade."""

    grade: int
    start: float
    end: float

    @property
    def is_used(self):
        """A range without any extent is of a grade that somebody gives by hand."""
        return self.start < self.end


class Source(NamedTuple):
    """Where the value of a criterion comes from; nothing that the score looks at."""

    origin: str
    date: object
    note: str = None


class Answer(NamedTuple):
    """What is known of a customer about one criterion: a number, an option, or nothing."""

    criterion: int
    # "ability" or "willingness".
    aspect: str
    weight: float
    bands: tuple
    value: float = None
    # The id of the band that somebody chose, instead of a number.
    option: int = None
    source: Source = None


class Line(NamedTuple):
    criterion: int
    # ``None`` when the value is unknown.
    points: float
    # Share of the points in the score; over all lines they add up to it.
    contribution: float
    # The band that applied, or None, and why: a code and the values that explain it.
    band: int
    reason: tuple


class Score(NamedTuple):
    # ``None`` without any known value, as are the sub-scores.
    score: float
    ability: float
    willingness: float
    # Weight of the known values as a share of all weights, 0 to 1.
    coverage: float
    # Whether the coverage is large enough for a grade.
    graded: bool
    # How to treat the customer, a value of WAYS, or ``None`` when that is not known.
    way: str
    lines: tuple


def find_band(answer):
    """The band that applies to the answer and the reason, ``(band or None, (code, values))``.

    A number is in the band with the highest start that it reaches; below all of them it is in
    the lowest.
    """
    if answer.option is not None:
        band = next((band for band in answer.bands if band.id == answer.option), None)
        return band, ("option", ()) if band else ("unknown", ())
    if answer.value is None or not answer.bands:
        return None, ("unknown", ())
    reached = [band for band in answer.bands if band.value_from <= answer.value]
    if reached:
        band = max(reached, key=lambda band: band.value_from)
        return band, ("from", (answer.value, band.value_from))
    band = min(answer.bands, key=lambda band: band.value_from)
    return band, ("below", (answer.value, band.value_from))


def score(answers, min_coverage, yes_from=YES_FROM):
    """Score a customer.

    :param answers: iterable of :class:`Answer`, one per criterion of the card
    :param min_coverage: least share of the weights, 0 to 1, that must be known for a grade
    :param yes_from: sub-score from which a customer counts as able, or willing, to pay
    :return: :class:`Score`, rounded to two decimals as it is shown
    """
    found = [(answer, *find_band(answer)) for answer in answers]
    total = sum(answer.weight for answer, _band, _reason in found)
    known = sum(answer.weight for answer, band, _reason in found if band)

    def mean(aspects):
        pairs = [
            (answer.weight, band.points)
            for answer, band, _reason in found
            if band and answer.aspect in aspects
        ]
        weight = sum(weight for weight, _points in pairs)
        return round(sum(w * points for w, points in pairs) / weight, 2) if weight else None

    coverage = known / total if total else 0.0
    lines = tuple(
        Line(
            answer.criterion,
            band.points if band else None,
            answer.weight * band.points / known if band else 0.0,
            band.id if band else None,
            reason,
        )
        for answer, band, reason in found
    )
    ability, willingness = mean(("ability",)), mean(("willingness",))
    # Weights such as 0.1 do not add up exactly.
    graded = known > 0 and coverage > min_coverage - 1e-9
    judged = graded and ability is not None and willingness is not None
    return Score(
        mean(("ability", "willingness")),
        ability,
        willingness,
        round(coverage, 4),
        graded,
        WAYS[ability >= yes_from, willingness >= yes_from] if judged else None,
        lines,
    )


def grade_of(score, scale):
    """The id of the grade whose range holds the score, ``None`` in a gap between them.

    :param scale: iterable of :class:`Range`; where two of them touch, the higher one counts, and
        of two with the same start the first one
    """
    holding = [span for span in scale if span.is_used and span.start <= score <= span.end]
    return max(holding, key=lambda span: span.start).grade if holding else None


def cap_grade(earned, caps, scale):
    """What is left of an earned grade when knock-out rules apply.

    A rule caps also where too little is known for a grade: it gives the best that is possible.

    :param earned: id of the grade by score, or ``None``
    :param caps: ``[(rule, lowest score of the best grade that it leaves)]``
    :return: ``(grade id or None, the rule that decided or None)``
    """
    used = [span for span in scale if span.is_used]
    if not caps or not used:
        return earned, None
    rule, ceiling = min(caps, key=lambda cap: cap[1])
    if any(span.grade == earned and span.start <= ceiling for span in used):
        return earned, None
    possible = [span for span in used if span.start <= ceiling]
    if not possible:
        return min(used, key=lambda span: span.start).grade, rule
    return max(possible, key=lambda span: span.start).grade, rule


def find_faults(scale):
    """What is wrong with a scale from 0 to 100.

    :return: ``([(start, end)] without any grade, [(grade id, grade id)] that overlap)``
    """
    used = sorted((span for span in scale if span.is_used), key=lambda span: span.start)
    gaps, reached = [], 0
    for span in used:
        if span.start > reached:
            gaps.append((reached, span.start))
        reached = max(reached, span.end)
    if used and reached < HIGHEST:
        gaps.append((reached, HIGHEST))
    overlaps = [
        (one.grade, other.grade)
        for index, one in enumerate(used)
        for other in used[index + 1 :]
        if other.start < one.end
    ]
    return gaps, overlaps
