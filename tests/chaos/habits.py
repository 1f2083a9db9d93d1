"""Where a simulated labeler works, and how."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """What the labelers work on.

    Attributes:
        url: of the site.
        layer: id of the feature layer.
        label_set: id of the label set with the tasks; "": there is none.
    """

    url: str
    layer: str
    label_set: str


@dataclass(frozen=True)
class Habits:
    """How a labeler works.

    Attributes:
        per_s: edits a second.
        dropped: share of the messages from the server that never arrive.
        doubled: share of the edits that are sent twice at once.
        batches: share of the edits that come as a batch of twenty new features.
        tasks: edits are drawn under leases on tasks.
        pointer_s: seconds between two moves of the pointer that are sent; 0: none are.
    """

    per_s: float = 2.0
    dropped: float = 0.05
    doubled: float = 0.05
    batches: float = 0.04
    tasks: bool = True
    pointer_s: float = 0
