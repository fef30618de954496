"""What a set does in general, or what a text supposes, asks or declines: directions that nobody found."""

from __future__ import annotations

from itertools import pairwise

from biorlhf_plugins.language.claims.reader import Reader
from biorlhf_plugins.language.sentences.clauses import Chunk, Sentence
from biorlhf_plugins.language.words.degrees import RELEASES
from biorlhf_plugins.language.words.lexicon import grammar
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import vocabulary

WORDS = grammar()
DETERMINERS, PREPOSITIONS, AUXILIARIES = WORDS["determiner"], WORDS["preposition"], WORDS["auxiliary"]
GENERIC, ADVERBS = WORDS["generic"], WORDS["adverb"]
FUNCTION = DETERMINERS | PREPOSITIONS | AUXILIARIES | WORDS["pronoun"] | WORDS["conjunction"] | ADVERBS
LINKING = AUXILIARIES | WORDS["showing"] | ADVERBS
NEUTRAL = FUNCTION | WORDS["adjective"] | GENERIC | WORDS["species"] | WORDS["telling"] | WORDS["showing"]
PLACES = frozenset(("entity", "frame", "mission", "condition", "treatment", "everyone", "univ"))
BEING = vocabulary("is are was were be been being remain stay go went become")

REPORTS = frozenset(("evidence", "literature", "report", "feeling", "population", "model", "effect"))
TENDS = vocabulary(
    "tend tended seem seemed appear appeared found shown known seen observed reported begin began continue "
    "continued start started expected predicted thought likely fail failed"
)
FINITE = ("ed", "ing", "er", "ion", "up", "down", "high", "low", "level")
MODALS = frozenset(("will", "would", "can", "could", "may", "might", "do", "does", "did"))
MEANING = vocabulary("mean indicate imply suggest signal refer denote stand meant indicated implied")
NEEDED = frozenset(("required", "needed", "essential", "necessary", "critical", "important"))
DEFINING = vocabulary("refer mean denote hold contain comprise include consist set group list collection")
EXPLAINS = vocabulary("explain fit agree be match account suggest mean point argue reflect indicate imply")
WHENEVER = frozenset(("when", "whenever", "once"))
SIGNS = frozenset(("<", ">", "positive", "negative"))
SIZES = vocabulary("size magnitude strength extent amplitude strong strongly large")
VERDICTS = frozenset(("verdict", "conclusion", "picture", "answer", "call", "sign", "direction", "outcome"))
CUES = vocabulary("decline overactivation would normally can that which") | WHENEVER
CUES |= VERDICTS | REPORTS | SIZES | MEANING | NEEDED
"""Words of a sentence that may speak in general."""
LED_BY = frozenset(("to", "more", "less"))
LEADING = frozenset(("by", "when", "upon", "set", "pathway", "term"))
"""Words right before and right after a direction by which it may be told in general."""


def general_words(reader: Reader, sentence: Sentence) -> bool:
    """Whether a sentence has a word by which any of its directions may be told in general."""
    texts = reader.stream.texts[sentence.first : sentence.last]
    return not CUES.isdisjoint(texts) or ("response" in texts and "to" in texts)


def may_generalise(reader: Reader, focus: Mention, last: int) -> bool:
    """Whether a direction has a word, in its sentence or beside it, without which it is none in general."""
    texts = reader.stream.texts
    beside = texts[focus.first - 1] in LED_BY or (focus.last < last and texts[focus.last] in LEADING)
    return reader.general or beside


def in_general(
    reader: Reader, chunk: Chunk, inside: dict[str, list[Mention]], focus: Mention, sentence: Sentence
) -> bool:
    """ "Its activation can lead to …", "is activated in response to DNA damage", "genes that rise in …": what
    a set does in general, or what it is, and not what was found."""
    stream, last = reader.stream, sentence.last
    after = stream.texts[focus.last : min(last, focus.last + 5)]
    asking = not MEANING.isdisjoint(after)
    lead = stream.texts[max(chunk.first, focus.first - 4) : focus.first]
    who = {word for word in lead if word not in LINKING and word != "to" and not word.endswith("ly")}
    if stream.texts[focus.first] == "decline" and who in ({"i"}, {"we"}):
        return True  # "I must decline"
    if focus.value == "NS" and after[:1] and after[0] in DETERMINERS and not VERDICTS.isdisjoint(after[1:2]):
        return True  # "this does not alter the verdict"
    among = not {"among", "one"}.isdisjoint(lead)  # "ranks first among the upregulated pathways"
    if after[:1] and after[0] in ("set", "pathway", "term") and reader.plural(focus.last) and not among:
        return True  # "upregulated sets are dominated by …"
    if focus.value == "NS" and stream.texts[focus.first - 1] in ("more", "less"):
        return True  # "small sets give less stable scores"
    led = stream.texts[chunk.first : focus.first]
    if focus.value == "MIXED" and not (REPORTS.isdisjoint(after[:1]) and SIZES.isdisjoint(led)):
        return True  # "mixed evidence", "the magnitude of the change varies"
    purpose = stream.texts[max(0, focus.first - 2) : focus.first]
    if (
        focus.last - focus.first == 1
        and purpose[-1:] == ["to"]
        and purpose[0] not in TENDS
        and stream.texts[focus.first] not in RELEASES  # "makes the cells release it"
        and not stream.texts[focus.last - 1].endswith(FINITE)
    ):
        return True  # "a response to suppress inflammation"
    named = after[:1] == ['"'] and stream.texts[focus.first - 1] == '"'
    if asking and (named or not MODALS.isdisjoint(after[:3])):
        return True  # "Up" refers to …, a positive score would mean …
    before = stream.texts[max(chunk.first, focus.first - 6) : focus.first]
    supposed = stream.texts[max(sentence.first, focus.first - 9) : focus.first]
    if not MEANING.isdisjoint(supposed) and not SIGNS.isdisjoint(supposed) and "which" not in supposed:
        return True  # "NES > 0 means upregulated"
    if _supposed(reader, focus, last) or "normally" in led:  # "Tsc2 normally restrains it"
        return True
    if focus.value != "NS" and (after[:1] == ["can"] or "can" in before[-4:]):
        return True
    told = any(w in ("that", "which") and b in ("gene", "transcript") for b, w in pairwise(before))
    defined = not DEFINING.isdisjoint(stream.texts[max(chunk.first, focus.first - 9) : focus.first])
    found = any(0 <= m.first - focus.last < 5 for m in inside.get("frame", ()))  # "that go up in flight"
    if told and defined and not found:
        return True  # "the name refers to genes that go down after UV exposure"
    if "frame" in inside or "mission" in inside:
        return False
    if stream.texts[focus.first] == "overactivation" or (after[:1] == ["is"] and NEEDED & {*after[1:2]}):
        return True  # "its activation is required for …", "its overactivation leads to …"
    whenever = {stream.texts[sentence.first]} if "frame" not in sentence.inside else set()
    if not WHENEVER.isdisjoint((*whenever, *led)):
        return True  # "is triggered when misfolded proteins accumulate"
    caused = after[:1] in (["by"], ["when"], ["upon"]) or after[:3] == ["in", "response", "to"]
    if caused and reader.stream.texts[focus.first - 1] not in BEING and _of_feature(reader):
        return False  # "HSP70 shoots up when the water warms": of one gene, what was found
    if caused and not _treatment(reader, sentence, focus.last + (3 if after[0] == "in" else 1)):
        return True
    return told


def _supposed(reader: Reader, focus: Mention, last: int) -> bool:
    """ "Increased MYC activity would promote growth"; not "the increased activity", which was found."""
    texts = reader.stream.texts
    at = next((i for i in range(focus.last + 1, min(last - 1, focus.last + 6)) if texts[i] == "would"), 0)
    if not at or texts[focus.first - 1] in DETERMINERS or texts[at + 1] in EXPLAINS:
        return False
    named = reader.starts.get(focus.last)
    between = texts[named.last : at] if named is not None and named.kind == "path" else ["?"]
    return all(word in GENERIC for word in between)


def _of_feature(reader: Reader) -> bool:
    """Is a gene, protein or region asked about, and no set, of which texts tell what it does in general?"""
    return any(":" in name for names in reader.given.get("path", ()) for name in names)


def _treatment(reader: Reader, sentence: Sentence, first: int) -> bool:
    """Is the cause that is named a treatment or what the question speaks of, and no thing in general?"""
    last = min(sentence.last, first + 4)
    if any(first <= m.first < last and m.kind in (*PLACES, "num") for m in sentence.mentions):
        return True
    asked = {w for names in reader.given.get("path", ()) for name in names for w in name.split()}
    said = {t.text for t in reader.stream[first:last] if t.kind == "w"} - NEUTRAL - asked
    return not said or bool(said & reader.question)
