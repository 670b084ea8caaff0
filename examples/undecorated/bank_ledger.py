"""Keeps the books of a small bank: every booking depends on those before it. Parallel maps have nothing to give.

Run ``python bank_ledger.py [BOOKINGS]``. It knows nothing of autopar: ``autopar suggest bank_ledger.py`` says why none
of its loops would gain.
"""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass, field

NAMES = "ada ben cho dee eli fay gus hal ivy jan kim lou may ned oda pam".split()
FEES = {"transfer": 2, "deposit": 0, "withdrawal": 1}


@dataclass
class Account:
    """What one customer has."""

    name: str
    balance: int = 0
    history: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Booking:
    """One movement of money, in cents."""

    number: int
    kind: str
    source: str
    target: str
    amount: int


class Dice:
    """Numbers that look random, and are the same each time."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def roll(self, sides: int) -> int:
        """A number below ``sides``."""
        self.state = (self.state * 1_103_515_245 + 12_345) % 2_147_483_648
        return (self.state >> 8) % sides


ACCOUNTS = {name: Account(name, 10_000) for name in NAMES}
REFUSED: list[int] = []


def make_booking(number: int, dice: Dice) -> Booking:
    """The next booking; each takes its numbers from where the last one has left the dice."""
    kind = ("transfer", "transfer", "deposit", "withdrawal")[dice.roll(4)]
    return Booking(number, kind, NAMES[dice.roll(16)], NAMES[dice.roll(16)], 1 + dice.roll(5_000))


def book(booking: Booking) -> bool:
    """Move the money, if it is there."""
    source, target = ACCOUNTS[booking.source], ACCOUNTS[booking.target]
    cost = booking.amount + FEES[booking.kind]
    if booking.kind != "deposit" and source.balance < cost:
        REFUSED.append(booking.number)
        return False
    if booking.kind != "deposit":
        source.balance -= cost
        source.history.append(-cost)
    if booking.kind != "withdrawal":
        target.balance += booking.amount
        target.history.append(booking.amount)
    return True


def interest(balance: int, days: int) -> int:
    """What a balance grows to, day by day, in whole cents."""
    for _ in range(days):
        balance += balance // 20_000
    return balance


def next_hash(before: int, booking: Booking) -> int:
    """The seal of the book up to this booking: it takes in the one before."""
    mixed = before ^ (booking.number * 2_654_435_761) ^ booking.amount
    for letter in booking.kind:
        mixed = (mixed * 16_777_619 + ord(letter)) % 4_294_967_296
    return mixed


def seal(bookings: list[Booking]) -> int:
    """Seal the whole book."""
    sealed = 2_166_136_261
    for booking in bookings:
        sealed = next_hash(sealed, booking)
    return sealed


def is_large(booking: Booking) -> bool:
    """It has to be reported."""
    return booking.amount > 4_900


def busiest(bookings: list[Booking], window: int) -> int:
    """The most money that moved within so many bookings."""
    inside: deque[int] = deque()
    total = most = 0
    for booking in bookings:
        inside.append(booking.amount)
        total += booking.amount
        if len(inside) > window:
            total -= inside.popleft()
        most = max(most, total)
    return most


def main(count: int = 150_000) -> None:
    """Make bookings, book them, and close the book."""
    dice = Dice(count)
    bookings = [make_booking(number, dice) for number in range(count)]
    booked = [book(booking) for booking in bookings]
    large = [is_large(booking) for booking in bookings]
    grown = [interest(account.balance, 90) for account in ACCOUNTS.values()]
    print(f"{sum(booked)} of {count} booked, {len(REFUSED)} refused, {sum(large)} large")
    print(f"busiest {busiest(bookings, 100)}, with interest {sum(grown)}, seal {seal(bookings):08x}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
