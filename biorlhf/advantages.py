"""Credit assignment, under the name that plugins import: see :mod:`biorlhf.reward.advantages`."""

from biorlhf.reward.advantages import *  # noqa: F403
