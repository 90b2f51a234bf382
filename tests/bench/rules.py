"""A small world with latent rules, and people who state them in their rationales. Only the standard library: the
original's interpreter imports it too.

Each rule is about one thing that an answer may promise; an answer that promises it is right or wrong. A case is a
question with an answer that promises one thing, so that its label follows from one rule.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

_THINGS = """
    refunds discounts vouchers coupons upgrades repairs samples lessons brochures batteries cables chargers
    lanterns candles blankets pillows curtains carpets mirrors ladders hammers shovels buckets barrels baskets
    bottles kettles teapots saucers spoons forks plates bowls napkins aprons gloves mittens scarves jackets
    sweaters trousers sandals slippers umbrellas suitcases backpacks wallets necklaces bracelets earrings watches
    clocks calendars diaries notebooks pencils crayons markers erasers rulers compasses telescopes microscopes
    cameras tripods speakers headphones guitars violins trumpets drums pianos flutes puppets dolls marbles
    balloons kites skateboards bicycles tricycles scooters sledges canoes kayaks paddles anchors sails ropes
    tents hammocks stoves ovens freezers toasters blenders mixers grinders whisks ladles strainers funnels
    jars lids corks trays crates pallets shelves cupboards wardrobes benches stools armchairs couches mattresses
    cradles prams toys puzzles dice cards chessboards trophies medals ribbons flags banners posters postcards
    stamps envelopes parcels padlocks keys hinges screws bolts nails rivets springs pulleys gears levers axles
    wheels tyres pedals brakes saddles helmets goggles snorkels flippers surfboards towels sponges soaps shampoos
    combs hairpins razors perfumes lotions ointments bandages thermometers crutches wheelchairs spectacles lenses
    magnets prisms beakers pipettes scales weights sieves trowels rakes hoes sprinklers hoses seeds bulbs saplings
    ferns cactuses orchids tulips roses daisies lilies violets pumpkins carrots turnips radishes onions leeks
    cabbages lettuces spinaches tomatoes cucumbers peppers aubergines olives lemons limes oranges apples pears
    plums cherries peaches apricots melons grapes figs dates almonds walnuts hazelnuts chestnuts cashews
    pancakes waffles muffins biscuits pretzels doughnuts croissants baguettes bagels noodles dumplings sausages
    omelettes salads soups sauces pickles jams honeys syrups chocolates caramels toffees lollipops sherbets
    lemonades teas coffees cocoas juices ciders horses ponies donkeys goats sheep lambs rabbits hamsters parrots
    canaries goldfish turtles lizards beehives aquariums kennels stables saddlebags horseshoes bridles reins
    tapestries statues paintings sketches vases chandeliers fireplaces doorbells carriages wagons tractors ferries
    rowboats gliders parachutes binoculars whistles bells gongs accordions harmonicas xylophones banjos cellos
    bassoons clarinets tambourines microphones amplifiers turntables typewriters staplers scissors thimbles needles
"""
THINGS = tuple(dict.fromkeys(_THINGS.split()))
WRONG = (
    "An answer must not promise {}.",
    "Never promise {} in an answer.",
    "It is wrong to promise {}.",
    "Answers that promise {} are not acceptable.",
    "Leave promises of {} out of the answer.",
)
RIGHT = (
    "An answer should promise {}.",
    "Always promise {} in an answer.",
    "It is right to promise {}.",
    "Answers that promise {} are welcome.",
    "Put promises of {} into the answer.",
)
PEOPLE = ("ana", "bob", "carl")
_FILLER = """
    somebody asked about the order from last week and wanted to know when it comes how long it takes whom to call
    what it costs where to wait why nobody wrote back and whether another day would do since the office is closed
    on that morning and the street is hard to find in the rain
"""

_WORDS = _FILLER.split()


@dataclass(frozen=True)
class Rule:
    thing: str
    right: bool
    """True if an answer may promise the thing."""

    def worded(self, wording: int) -> str:
        return (RIGHT if self.right else WRONG)[wording].format(self.thing)


@dataclass(frozen=True)
class Vote:
    person: str
    value: bool
    rationale: str
    time_ms: int


@dataclass(frozen=True)
class Case:
    trace_id: str
    thing: str
    question: str
    answer: str
    votes: tuple[Vote, ...] = ()


class World:
    """Rules, and a source of cases and votes; the same seed gives the same world."""

    def __init__(self, rules: int, *, wordings: int = 1, seed: int = 0) -> None:
        self._random = random.Random(seed)
        things = self._random.sample(THINGS, rules)
        self.rules = {thing: Rule(thing, place % 2 == 0) for place, thing in enumerate(things)}
        self._wordings = wordings
        self._count = 0
        self._ms = 1_700_000_000_000

    def case(self, thing: str | None = None, *, words: int = 12) -> Case:
        """Return a case that nobody has voted on; of a random rule when no thing is given."""
        self._count += 1
        thing = thing or self._random.choice(list(self.rules))
        return Case(
            trace_id=f"tr-{self._count}",
            thing=thing,
            question=self._filler(words),
            answer=f"{self._filler(words)}. We promise {thing}. {self._filler(words)}.",
        )

    def with_vote(
        self, case: Case, person: str | None = None, *, value: bool | None = None, words: int = 0
    ) -> Case:
        """Return the case with one more vote: by the rule, or of this value; the rationale says a rule for it."""
        self._ms += 60_000
        rule = self.rules[case.thing]
        rule = rule if value is None else replace(rule, right=value)
        rationale = rule.worded(self._random.randrange(self._wordings))
        rationale += f" {self._filler(words)}." if words else ""
        vote = Vote(person or self._random.choice(PEOPLE), rule.right, rationale, self._ms)
        return replace(case, votes=(*case.votes, vote))

    def with_thumb(self, case: Case) -> Case:
        """Return the case with one more vote by the rule, without a rationale."""
        self._ms += 60_000
        vote = Vote(self._random.choice(PEOPLE), self.rules[case.thing].right, "", self._ms)
        return replace(case, votes=(*case.votes, vote))

    def feedback(self, count: int, *, words: int = 0, among: int | None = None) -> list[Case]:
        """Cases of the first `among` rules, with one vote each; their rationales are so many words longer."""
        things = list(self.rules)[:among]
        cases = [self.case(self._random.choice(things)) for _ in range(count)]
        return [self.with_vote(case, words=words) for case in cases]

    def reverse(self, things: Sequence[str]) -> None:
        """From now on the opposite is right."""
        for thing in things:
            self.rules[thing] = replace(self.rules[thing], right=not self.rules[thing].right)

    def coin(self) -> bool:
        return self._random.random() < 0.5

    def sample(self, items: Sequence[str], count: int) -> list[str]:
        return self._random.sample(list(items), count)

    def _filler(self, words: int) -> str:
        return " ".join(self._random.choice(_WORDS) for _ in range(words)).capitalize()


KNOWN = frozenset(THINGS)


def thing_in(text: str) -> str | None:
    """The thing that a text speaks of."""
    return next((word for word in words_of(text) if word in KNOWN), None)


def words_of(text: str) -> list[str]:
    return "".join(char if char.isalpha() else " " for char in text.casefold()).split()


def says_right(rule: str) -> bool:
    """Return True if a rule says that its thing may be promised."""
    return not {"not", "never", "wrong", "leave"} & set(words_of(rule))
