"""What has to be done before a case leaves its stage: plain functions of plain values."""

from typing import NamedTuple

# What a stage may ask for, with the channel that counts; None counts every contact.
KINDS = {"calls": "call", "letters": "letter", "visits": "visit", "contacts": None}


class Answered:
    """Who has asked for the proof already, or answers for its lack; a request cannot send it."""


ANSWERED = Answered()


class Requirement(NamedTuple):
    calls: int = 0
    letters: int = 0
    visits: int = 0
    # Of any kind, those above included.
    contacts: int = 0
    # Only what was done in so many days counts; zero for all since the case was opened.
    days: int = 0


def missing_proof(requirement, contacts, date):
    """What a case still has to do before it may leave the stage.

    :param contacts: ``[(channel, day)]`` of the contacts that were made
    :param date: the day on which it is to leave
    :return: ``{kind: number}`` with the kinds of ``KINDS``, empty when it may leave
    """
    counted = [
        channel
        for channel, day in contacts
        if day <= date and not (requirement.days and (date - day).days > requirement.days)
    ]
    missing = {}
    for kind, channel in KINDS.items():
        done = len(counted) if channel is None else counted.count(channel)
        if getattr(requirement, kind) > done:
            missing[kind] = getattr(requirement, kind) - done
    return missing
