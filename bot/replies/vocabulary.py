"""Phrases of English and German by which a reply is read, as parts of regular expressions."""

import re
from collections.abc import Iterable

_BLANKS = r"[^\S\n]+"


def alternatives(phrases: Iterable[str]) -> str:
    """Return a group that matches any of the phrases, the longest first; a blank stands for any white space."""
    ordered = sorted(phrases, key=len, reverse=True)
    joined = "|".join(phrase.replace(" ", _BLANKS) for phrase in ordered)
    return f"(?:{joined})"


def phrases_of(text: str) -> tuple[str, ...]:
    """Return the phrases of a list in which bars and line ends separate them."""
    return tuple(phrase.strip() for phrase in re.split(r"[|\n]", text) if phrase.strip())


INTERJECTIONS = phrases_of("""
no|nope|nah|yes|yeah|yep|well|hm+|sorry|nein|nee|nö|ja|doch|naja|so|thus|hence|therefore|also|daher|deshalb|then
ok|okay|honestly|clearly|definitely|again|please|bitte|for me|to me|für mich|in my opinion|in my view|imo|imho
meiner meinung nach|meines erachtens|aus meiner sicht|from me|von mir|personally|dafür
i think|i believe|i find|ich finde|ich denke|ich meine|but|aber
sondern|and|und|ich würde sagen|i would say|i'd say|i say|ich sage|that means|agreed|wrong|falsch|disagree|i disagree
""")
"""Words before a value that leave it as it is."""
SUBJECT = alternatives(
    phrases_of("""
it|this|that|this one|the answer|this answer|that answer|the response|this response|the reply|the output|this case
das|es|dies|die antwort|diese antwort|die ausgabe|der text|das hier|sie
""")
)
"""The answer that was judged."""
GIVES = alternatives(
    phrases_of("""
is|was|should be|should have been|should[’']ve been|must be
is worth|has to be|needs to be|ought to be|would be|deserves?|deserved|merits|gets
should get|should have got|should have gotten|must get|would get|earns|earned|rates|counts as|should count as
should be rated|should be marked|should be scored|should be labelled|should be labeled|should be judged
looks|looks like|sounds|sounds like|seems|seems like|seems to be|feels|feels like|reads|reads as|reads like
comes across as
comes off as|klingt|klingt nach|klingt wie|wirkt|wirkt wie|sieht nach|sieht aus wie|liest sich wie
ist das|wäre das|ist es|wäre es|ist sie|wäre sie|should be rated as|should be marked as|should be labelled as
should be labeled as|should be judged as|can only be
would have been|scores|should score|ist|wäre|war|verdient|bekommt|kriegt|sollte|soll|muss|müsste|kann nur|gilt als
hätte|erhält
""")
)
"""Verbs between the answer and its value."""
_FIRST_PERSON = (
    r"(?:i(?:[’']d| would| will|[’']ll)?(?: have)? )?(?:give|given|gave|rate|rated|score|scored|say|said|call"
    r"|vote for|vote|mark|marked|label|go with|go for|go|gone with|gone for|tag|choose|pick|see|consider|read)"
    r"(?: it| this| that| the answer| this answer| this one)?(?: as| at| with)?"
)
_FIRST_PERSON_GERMAN = (
    r"ich (?:gebe|gäbe|sage|vergebe|nehme|wähle|würde|hätte|sehe|nenne|werte)"
    r"(?: es| das| dafür| ihr| der antwort| die antwort| sie| hier)?(?: als| mit| bei)?"
)
_INVERTED_GERMAN = (
    r"(?:würde|hätte|sehe|finde|nenne|werte)(?: ich)?(?: es| das| dafür| ihr| der antwort| die antwort| sie| hier)?"
    r"(?: als| mit| bei)?"
)
_NAMED_VALUE = (
    r"(?:(?:my|our|the|meine|mein|unsere|die|der|das) )?(?:(?:right|correct|richtige|korrekte) )?"
    r"(?:rating|score|value|verdict|label|vote|grade|wert|note|urteil|bewertung|wertung|stimme)"
    r"(?: should be| would be| is| of|:| =| ist| wäre| sollte)?"
)
_FIRST_PERSON_WOULD = r"(?:(?:please|i(?:[’']d| would|[’']ll| will)) )?"
_MOVES = r"(?:make|change|set|put|move|lower|raise|bump|drop|downgrade|upgrade|switch|flip|correct|increase|decrease)"
_MOVED = r" (?:it|this|that|this one|the (?:score|rating|value|verdict|label))"
_GERMAN_MOVES = r"(?:setze?|stelle?|senke?|erhöhe?|ändere?|stufe?|korrigiere?)"
RATING = alternatives(
    (
        _FIRST_PERSON,
        _FIRST_PERSON_GERMAN,
        _NAMED_VALUE,
        _INVERTED_GERMAN,
        r"gibt(?:[’']s| es)(?: von mir| dafür)?",
        rf"{_FIRST_PERSON_WOULD}{_MOVES}{_MOVED}(?: up| down| back)?(?: to| at)?",
        rf"{_FIRST_PERSON_WOULD}{_MOVES}(?: up| down| back)? to",
        r"(?:go |come )?(?:up|down) to",
        r"i(?:[’']m| am) at",
        rf"{_GERMAN_MOVES}(?: es| das| sie| ihn| die (?:note|wertung|bewertung))?(?: runter| hoch)? auf",
        r"(?:runter|herunter|rauf|hoch|hinauf) auf",
        r"auf(?= \S+ (?:senken|setzen|erhöhen|ändern|stellen|heben|runter|hoch))",
        r"(?:(?:ich )?(?:würde|bewerte)(?: ich)?(?: es| das| die antwort| sie)? mit)",
        r"ich finde(?: es| das| die antwort| sie)",
        r"gib(?: ihr| dem| der antwort| hier| dafür)?",
        r"mach(?: daraus)?",
    )
)
"""Rating in the first person, in the imperative, or by the name of the value."""
EMPHASIS = phrases_of("""
clearly|definitely|really|simply|just|only|at most|at best|at least|maximum
max[.]?|no more than|not more than
worth|höchstens|maximal
allenfalls|mindestens|nur|klar|eindeutig|ganz klar|wirklich|einfach|rather|eher|more like|more of|better|surely
certainly|obviously|auch|hier|here|still|exactly|genau|für mich|quite|absolutely
a|an|the|eine|ein|einen|einer|ne|[’']ne|als
""")
"""Words between a verb and a value that leave the value as it is, unless the name of a value holds them."""
DEGREES = phrases_of("""
solid|clear|hard|soft|firm|strong|weak|low|klare|klarer|klares|solide|solider|starke|schwache|schwacher|gute|knappe
glatte|glatter
""")
"""Adjectives that leave a value as it is, unless the name of any value holds one of them."""
TAIL = alternatives(
    phrases_of("""
at most|at best|at the most|max|maximum|tops|höchstens|maximal|for me|from me|für mich|imo|in my opinion|here|hier
instead|please|bitte|von mir|then|sein|bekommen|werden|haben|geben|kriegen|sagen|vergeben|nennen|verdient|heißen
lauten|gewesen|bewerten|clearly|definitely|overall|insgesamt|i think|i believe|i[’']d say|i would say|i[’']d argue
to me|in my view|in my eyes|in my book|to be honest|tbh|honestly|glaube ich|denke ich|finde ich|meine ich
ehrlich gesagt
würde ich sagen|meiner meinung nach|aus meiner sicht|auf mich|no more|nothing more|nicht mehr|mehr nicht|aus
sehen|einstufen|einschätzen|einordnen|werten|bezeichnen|betrachten|setzen|senken|erhöhen|ändern|stellen|gesagt|gegeben
genommen|seems right|seems fair|feels right|is fair|is better|fits better|would be fair|would be better
passt besser|imho|obviously|offensichtlich|müssen|sollen|is right|is appropriate|would be right
would be appropriate|would be more appropriate|wäre angemessen|wäre angemessener|wäre richtig
wäre fair|wäre besser|wäre passend
""")
)
"""Words after a value that leave it as it is."""
BECAUSE = alternatives(
    phrases_of("because|since|as|cause|given|due to|for|weil|denn|da|wegen|aufgrund|when|where|und zwar")
)
INSTEAD_OF = alternatives(
    phrases_of("not|and not|instead of|rather than|than|nicht|und nicht|statt|anstatt|als")
)
"""Words before a value that is refused."""
HEDGES = alternatives(
    phrases_of("""
but|however|though|although|maybe|perhaps|possibly|probably|or|oder|if|unless|except|wenn|falls|aber|vielleicht
eventuell|wahrscheinlich|depending|it depends|not sure|to|bis|bzw|kommt darauf an|kommt drauf an|i guess|i think not
""")
)
"""Words that, after a value, take something of it back."""
DOUBTS = alternatives(
    phrases_of("""
not sure|unsure|not certain|no idea|don[’']t know|do not know|can[’']t tell|cannot tell|hard to say|it depends
nicht sicher|unsicher|bin mir nicht sicher|bin nicht sicher|bin unsicher|keine ahnung|weiß nicht|weiß es nicht
schwer zu sagen|kommt darauf an|kommt drauf an
""")
)
"""Phrases, at the start of a sentence, of somebody who has no value."""
REPORTS = alternatives(
    phrases_of("""
if|when|whether|unless|wenn|falls|ob|sobald|say|says|said|saying|think|thinks|thought|claims?|claimed|sagt|sagen|sagte
gesagt|finde|findet|denke|denkt|glaube|glaubt|behauptet|would|würde|könnte|might|could|may|asked|asks
""")
)
"""Words that make what follows somebody's opinion or a condition."""
JUDGES_OPINION = (
    r"(?:you|the (?:judge|model|bot)|du|der (?:richter|bot)|das modell)[^\S\n]+"
    r"(?:said|say|says|gave|gives|sagst|sagt|sagte|gibt|gab|hast|hat)\b[^,;–—]*"
)
QUESTION = alternatives(
    phrases_of("""
why|how come|which guidelines?|which rules?|which cases?|what guidelines?|what rules?|what made|what makes you|warum
wieso|weshalb|welche regeln?|welche richtlinien?|welche fälle|woran|can you explain|could you explain|please explain
explain|tell me why|kannst du erklären|kannst du mir|erklär|erkläre|erklär mir|erkläre mir|how did|how do|wie kommst
""")
)
"""Beginnings of a question that may lack its question mark."""
ACKNOWLEDGEMENTS = alternatives(
    phrases_of("""
thanks|thank you|thx|ty|many thanks|thanks a lot|thanks so much|thank you so much|thank you very much|cheers|ok|okay|k
got it|great|cool|nice|perfect|super|alright|all right|sure|fine|noted|done|will do|makes sense|good|lgtm|understood
i see|sounds good|good job|well done|danke|danke dir|danke schön|dankeschön|danke sehr|vielen dank|besten dank|merci
passt|passt so|alles klar|gut|sehr gut|verstanden|prima|top|klasse|in ordnung|erledigt|geht klar|ah|aha|oh|hi|hello
hallo|haha|lol|wow|yay|thanks for \\w+(?: \\w+){0,4}|thank you for \\w+(?: \\w+){0,4}|danke für \\w+(?: \\w+){0,4}
thanks everyone|thanks all|danke euch|danke an alle|memalign
""")
)
COMMANDS = alternatives(
    phrases_of("""
help|hilfe|stop|stopp|undo|status|guidelines?|digest|stats|mute|pause|resume|unsubscribe|forget|forget this|forget it
forget me|forget that|vergiss das|vergiss es|vergiss mich|rückgängig|delete this|delete it
""")
)

_HEDGE_LIST = """
maybe perhaps possibly probably likely somewhat slightly bit little kind kinda sort rather quite very really pretty
fairly extremely too between around about roughly approximately approx circa ca somewhere borderline barely almost
nearly close near guess think believe feel feels felt seem seems sound sounds sounded look looks like lean leaning tend
towards toward better worse higher above solid strong weak clear hard soft low high fair right enough never isn't
doesn't wasn't aren't neither nor both either vs versus i'd i'm i'll it's that's this this's wouldn't couldn't
shouldn't might me honestly tbh imo imho hm hmm well yes no but just instead way life range half full actually still
tops most best point torn plain plainly downright nowhere though however although sure unsure depends same middle
how what wie n sehe kein keine keinen all totally expect leans comes over definitiv lieber gehen hochgehen kommt rüber
vielleicht eventuell evtl wohl vermutlich wahrscheinlich möglicherweise etwa ungefähr rund zirka eher fast beinahe
knapp kaum gerade ziemlich ganz gar sehr wirklich echt recht etwas bisschen leicht zwischen irgendwo irgendwas tendiere
tendenz tendenziell neige denke glaube finde meine meinung würde könnte dürfte scheint klingt wirkt sieht aussieht weder
noch entweder beides beide statt anstatt sondern besser schlechter höher niedriger tiefer über mindestens höchstens
maximal allenfalls nie niemals leben hier mir mich meiner naja hmm ne nee tja bzw beziehungsweise bis reicht genug mehr
als keinesfalls sicher unsicher würd wär wäre hätte sehen nennen
"""
HEDGE_WORDS = frozenset(_HEDGE_LIST.split())
"""Words that say how sure somebody is of a value, or how far from it the answer is."""
