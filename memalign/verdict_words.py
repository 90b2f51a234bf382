"""Words that tell a sentence on the verdict itself from a criterion; English and German."""

_UNIVERSAL_LIST = """
always never ever every each all any everything anything nothing everyone no none immer nie niemals stets jede jeder
jedes jeden jedem alle allen alles sämtliche keine kein keiner
"""
UNIVERSAL = frozenset(_UNIVERSAL_LIST.split())
"""Words for each and every record."""

_VERDICTS_LIST = """
pass passes passed passing fail fails failed failing thumbs thumb approve approved approves bestanden bestehen
besteht durchgefallen durchfallen durchfällt bestnote bestnoten höchstnote höchstpunktzahl punktzahl daumen
"""
VERDICTS = frozenset(_VERDICTS_LIST.split())
"""Words that name a verdict wherever nothing else is said."""

_VALUES_LIST = """
true false yes no positive negative valid full maximum minimum top highest lowest best worst zero wahr falsch ja
nein positiv negativ volle vollen höchste höchsten beste besten schlechteste null two three four five six seven
eight nine ten zwei drei vier fünf sechs zehn
"""
VALUES = frozenset(_VALUES_LIST.split())
"""Words that name a verdict beside any word for judging or giving."""

_QUALITIES_LIST = """
good bad right wrong correct incorrect fine ok okay acceptable unacceptable perfect excellent gut schlecht richtig
korrekt perfekt
"""
QUALITIES = frozenset(_QUALITIES_LIST.split())
"""Words that name a verdict beside a word for judging, and a quality elsewhere: "Answers must be correct"."""

_JUDGING_LIST = """
mark marks marked label labels labelled labeled rate rates rated rating score scores scored judge judged judging
grade grades graded count counts counted consider considered considers treat treated deem deemed evaluate evaluated
classify classified verdict verdicts judgement judgements judgment judgments bewerte bewerten bewertet bewertung
beurteile beurteilen beurteilt stufe gilt gelten gewertet werten urteil urteile urteilen zählt zählen
"""
JUDGING = frozenset(_JUDGING_LIST.split())
"""Words for judging."""

_GIVING_LIST = """
say says said vote votes voted return returns returned output outputs choose pick give gives given award awarded
assign assigned get gets receive receives deserve deserves value values result results decide decided sag sage sagen
gesagt gib gibt geben vergib vergeben wähle bekommt bekommen erhält erhalten verdient verdienen wert werte note
noten ergebnis
"""
GIVING = frozenset(_GIVING_LIST.split())
"""Words for giving a value."""

_REPLYING_LIST = """
answer respond reply antworte
"""
REPLYING = frozenset(_REPLYING_LIST.split())
"""Words for giving a value where they begin a sentence: "Answer yes"."""

_SCORING_LIST = """
rate rates rated rating score scores scored mark marks marked grade grades graded give gives given award awarded
assign assigned get gets receive receives deserve deserves value verdict judge judged star stars point points gib
gibt geben bewerte bewerten bewertet bewertung vergib vergeben bekommt bekommen erhält erhalten verdient note stern
sterne punkt punkte urteil
"""
SCORING = frozenset(_SCORING_LIST.split())
"""Words that make a number beside them a verdict."""

_GENERAL_LIST = """
a an the this these those such it its it's they them their you your we us our i me my one ones there here answer
answers answer's response responses reply replies output outputs case cases record records trace traces text texts
message messages thing things item items everybody people person is are was were be been being am do does did done
don't doesn't have has had can could may might must mustn't shall should shouldn't will would won't cannot can't
need needs ought let make makes made keep put set use write call not nor neither or so as at by for from in into of
on out over to too up down with than then just only simply please automatically definitely absolutely strictly ever
again now under circumstances single important essential crucial sure certain fact less more least lower below if
when whenever unless where who which that whose without and but judge's model models grader reviewer bot llm ai star
stars point points mark marks score scores grade grades antwort antworten ausgabe ausgaben fall fälle eintrag text
texte ergebnisse der die das den dem des ein eine einen einem einer es sie er man du ihr wir ich dein deine ist sind
sein war wird werden wurde worden soll sollen sollte sollten muss müssen musst darf dürfen kann können hat haben
lass lassen lasse mach mache machen nimm setze nicht und oder aber als zu zum zur für von vom mit an am auf aus im
in bei bitte einfach nur doch auch durch dich sich so wenn falls stern sterne punkt punkte hoch runter wichtig
weniger mehr mindestens unter umständen einzige
"""
GENERAL = frozenset(_GENERAL_LIST.split())
"""Words that say nothing on the record."""

_ONE_CASE_LIST = """
this that it das dies es
"""
ONE_CASE = frozenset(_ONE_CASE_LIST.split())
"""Subjects of a remark on one case."""

KNOWN = VERDICTS | VALUES | QUALITIES | JUDGING | GIVING | REPLYING | GENERAL | UNIVERSAL
"""All of them; any other word makes a sentence speak of the record."""
