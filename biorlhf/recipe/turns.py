"""Why learner and engines cannot take turns on a GPU (``rollout.sleep``)."""

from __future__ import annotations


def no_turns(engine: str, lag: int, joins: bool, gpus: tuple[float, float]) -> str:
    """What stands against ``rollout.sleep: 1``, in words; empty where nothing does.

    Args:
        lag: the largest of the recipe's stages.
        joins: whether actors may join while the run goes on.
        gpus: of a rollout actor and of a learner.
    """
    if engine == "transformers":
        return "the engine transformers cannot sleep; vllm can"
    if lag:
        return (
            f"a stage has lag: {lag}, so that answers are sampled while the learner learns, and an engine "
            "that sleeps answers nothing. Set lag: 0; or sleep: 0, and a GPU for each"
        )
    if joins:
        return (
            "an actor that joins (rollout.most) while the learner learns would take memory that both need; "
            "leave most out"
        )
    # The scripted engine is its double: it holds nothing, and answers nothing while it sleeps.
    if engine == "vllm" and not all(0 < share < 1 for share in gpus):
        return (
            "it gives a GPU's memory back to a learner on the same GPU, but rollout.gpus is "
            f"{gpus[0]:g} and learner.gpus is {gpus[1]:g}. Set a share for each, such as 0.5; or sleep: 0"
        )
    return ""
