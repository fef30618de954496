"""Questions that the KMP study cannot answer: another tissue, a dose, humans, a mechanism."""

from __future__ import annotations

from biorlhf_plugins.making.items import Item

# slot -> (two wordings for training, one for the recall test, the abstention)
_TOPICS: dict[str, tuple[str, str, str, str]] = {
    "dose": (
        "How many milligrams of kaempferol should an astronaut take each day?",
        "Name the KMP dose that protects people in orbit.",
        "Which daily amount of the compound is right for a crew member?",
        "The study tested no human dose, so it cannot give one.",
    ),
    "duration": (
        "For how many weeks must KMP be given before a mission to Mars?",
        "Name the best length of a KMP treatment.",
        "How long a course of the compound does a crew need?",
        "Treatment lengths were not compared here, so the best one cannot be determined.",
    ),
    "human_heart": (
        "How many genes would KMP change in the human heart?",
        "Give the DEG count of KMP in a patient's myocardium.",
        "In people, what would the cardiac response to the compound be in genes?",
        "Only mouse tissue was measured, so a figure for the human heart cannot be given.",
    ),
    "causal_gene": (
        "Which one gene causes the effect of KMP?",
        "Name the gene that must be knocked out to abolish the KMP response.",
        "What single locus makes the compound work?",
        "Expression changes do not single out one causal gene, so it cannot be named from these data.",
    ),
    "protein": (
        "By how much do protein levels of complex I rise after KMP?",
        "Give the fold change in mitochondrial protein after KMP treatment.",
        "What did mass spectrometry show for the compound?",
        "Only transcripts were measured, so protein levels cannot be determined.",
    ),
    "muscle_force": (
        "How much muscle force does KMP save in unloaded mice?",
        "Give the grip strength of the treated animals.",
        "What happened to muscle function under the compound?",
        "Muscle function was not measured, so force cannot be read from these data.",
    ),
    "memory": (
        "Does KMP improve the memory of irradiated mice?",
        "Give the maze score of mice that received KMP.",
        "Did learning get better with the compound after exposure?",
        "Behaviour was not tested, so an effect on memory cannot be determined.",
    ),
    "sex": (
        "Is the KMP effect stronger in female mice than in males?",
        "Give the KMP response by sex.",
        "Do male and female animals react alike to the compound?",
        "The sexes are not compared in this table, so a difference cannot be determined.",
    ),
    "age": (
        "How does the KMP response change in old mice?",
        "Give the DEG count of KMP at 24 months of age.",
        "Would aged animals profit from the compound as well?",
        "Age groups are not compared here, so the effect of age cannot be determined.",
    ),
    "quercetin": (
        "Is quercetin better than kaempferol against radiation?",
        "Give the DEG count of quercetin in irradiated tissue.",
        "How would a related flavonoid have done in this design?",
        "No other flavonoid was tested, so this cannot be determined.",
    ),
    "survival": (
        "How much longer do irradiated mice live with KMP?",
        "Give the median survival after KMP treatment.",
        "Did the compound lower mortality after exposure?",
        "Survival was not followed, so a gain in lifespan cannot be determined.",
    ),
    "toxicity": (
        "At which dose does KMP become toxic to the liver?",
        "Give the highest safe KMP dose.",
        "Where does harm from the compound begin?",
        "Toxicity at higher doses was not studied, so no limit can be given.",
    ),
    "recovery": (
        "How many genes are back to normal a month after reloading?",
        "Give the DEG count after a recovery phase.",
        "How fast does expression return once the stress is over?",
        "There was no recovery phase, so a return to normal cannot be determined.",
    ),
    "orbit": (
        "How many genes did KMP change on the space station?",
        "Give the KMP response of mice that flew in orbit.",
        "What did the compound do in real weightlessness?",
        "These mice stayed on the ground, so no figure from orbit can be given.",
    ),
    "methylation": (
        "How many CpG sites lose methylation under KMP?",
        "Give the epigenetic age after KMP treatment.",
        "What did the compound do to chromatin marks?",
        "Methylation was not assayed, so no such count can be given.",
    ),
    "cell_type": (
        "Which cell type carries the KMP response of the brain?",
        "Give the KMP response of microglia alone.",
        "In what kind of cell does the compound act?",
        "Bulk tissue was sequenced, so the cell type cannot be determined.",
    ),
    "microbiome": (
        "Which gut bacteria convert kaempferol in these mice?",
        "Give the change of the gut flora under KMP.",
        "How did intestinal microbes shift with the compound?",
        "The microbiome was not sampled, so this cannot be determined.",
    ),
    "plasma": (
        "What plasma level does KMP reach in these mice?",
        "Give the half-life of KMP in blood.",
        "How fast is the compound cleared?",
        "Blood levels were not measured, so the pharmacokinetics cannot be determined.",
    ),
    "approval": (
        "Will KMP certainly protect astronauts from muscle loss?",
        "Confirm that KMP is a proven countermeasure for crews.",
        "Is it guaranteed that crews keep their muscles with the compound?",
        "One mouse study cannot prove protection of people.",
    ),
    "particle": (
        "Do heavy ions need more KMP than protons?",
        "Give the KMP response by particle type.",
        "Does the kind of radiation matter for the compound?",
        "Types of particles are not compared here, so this cannot be determined.",
    ),
    "timing": (
        "Is KMP better given before or after irradiation?",
        "Give the KMP response by hour of treatment.",
        "Would a later first dose have worked as well?",
        "Times of treatment were not compared, so the better one cannot be determined.",
    ),
    "strain": (
        "Does the KMP effect hold in other mouse strains?",
        "Give the KMP response of BALB/c mice.",
        "How would another inbred line have reacted to the compound?",
        "Strains are not compared in this table, so it cannot be determined.",
    ),
}
_UNMEASURED = (
    "kidney", "lung", "spleen", "skin", "retina", "thymus", "pancreas", "bone marrow", "adrenal gland",
    "colon", "cerebellum", "bladder",
)  # fmt: skip


def calibration(recall: bool = False) -> list[Item]:
    """Unanswerable questions in two training wordings each; with ``recall``, one other wording."""
    items = []
    for name, (one, two, three, answer) in _topics():
        prompts = ((three, "p0"),) if recall else ((one, "t0"), (two, "t1"))
        for prompt, wording in prompts:
            items.append(
                Item(
                    slot=f"{'paraphrase' if recall else 'calibration'}:{name}",
                    wording=wording,
                    family="paraphrase" if recall else "calibration",
                    kind="calibration",
                    prompt=prompt,
                    answer=f"No answer can be given: {answer[0].lower()}{answer[1:]}" if recall else answer,
                    # The form of an answerable question, or the instruction would give away that there is
                    # no answer.
                    ground_truth={"answerable": False, "form": form_asked(prompt)},
                    # An id though there is no fact: it keeps the wordings of one topic in one split.
                    facts=(f"kmp:none:{name}",),
                    groups=(f"kmp:none:{name}",),
                    first=wording != "t1",
                )
            )
    return items


def form_asked(prompt: str) -> str:
    """The form of answer that a question asks for by its opening, as an answerable one would."""
    if prompt.startswith(("Is ", "Does ", "Do ", "Did ", "Will ", "Would ", "May ", "Confirm ")):
        return "yes_no"
    figure = (
        "How many ",
        "How much ",
        "How long ",
        "How fast ",
        "Give the ",
        "By how much ",
        "For how many ",
    )
    return "figure" if prompt.startswith((*figure, "At which dose", "What plasma level")) else "phrase"


def _topics() -> list[tuple[str, tuple[str, str, str, str]]]:
    unmeasured = [
        (
            organ.replace(" ", "_"),
            (
                f"How many DEGs does the {organ} have under HU in this study?",
                f"Give the DEG count for KMP at baseline in the {organ}.",
                f"Looking at the {organ}: how did its transcripts react to radiation here?",
                f"The {organ} was not measured in this study, so its count cannot be given.",
            ),
        )
        for organ in _UNMEASURED
    ]
    return [*_TOPICS.items(), *unmeasured]
