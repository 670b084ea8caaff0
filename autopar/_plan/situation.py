"""What a planning knows: the one argument of the planner's functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from autopar._model.cluster import Cluster
from autopar._model.hints import Settings
from autopar._model.light_dataclass import dataclass
from autopar._model.observation import Host, Profile, Traits
from autopar._model.workload import Kind, Workload
from autopar._plan.costs import DEFAULT_COSTS, Costs


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything one planning may look at.

    Attributes
    ----------
    traits, workload, profile, host, settings
        What observation, classification and the user say.
    remaining
        Items still to run; None for an iterator of unknown length.
    seen
        Items that this operation has run already.
    cores
        Cores that this operation may use, less than the host's inside another parallel map; 0 stands for the host's.
    threads
        How many more threads may be made.
    warm
        Backend name -> workers that are already running.
    forkable
        New worker processes can be forked.
    forks
        This process can be forked for one map, after idle threads of autopar's own have ended.
    excluded
        Backend or compiler name -> what went wrong with it earlier in this operation.
    compiler
        The compiler that has compiled the function in use; "python" for the function as it is.
    ordered
        Results are handed out in input order, so what items print can wait for its turn.
    costs
        Prices of the backends.
    corrections
        Backend -> what earlier outcomes say to multiply its prediction by.
    loading
        Backend -> seconds of importing it, where this process has not used it yet.
    missed
        Seconds that worker processes would have saved in earlier maps of this process, had they been there.
    cluster
        The cluster that items may run on, once it has been looked at; None for none.
    """

    traits: Traits
    workload: Workload
    profile: Profile
    host: Host
    settings: Settings
    remaining: int | None
    seen: int = 0
    cores: int = 0
    threads: int = 256
    warm: Mapping[str, int] = field(default_factory=dict)
    forkable: bool = False
    forks: bool = False
    excluded: Mapping[str, str] = field(default_factory=dict)
    ordered: bool = True
    compiler: str = "python"
    costs: Costs = DEFAULT_COSTS
    corrections: Mapping[str, float] = field(default_factory=dict)
    loading: Mapping[str, float] = field(default_factory=dict)
    missed: float = 0.0
    cluster: Cluster | None = None

    def __post_init__(self) -> None:
        if self.cores <= 0:
            object.__setattr__(self, "cores", max(1, self.host.cores))

    @property
    def items(self) -> int:
        """Items to plan for; if their number is unknown, as many again as were seen (doubling).

        Where they take long, one for each worker that could be started in the time that was spent on them: should none
        come, no more is lost than was spent before. Items that wait need no more than threads for that.
        """
        if self.remaining is not None:
            return self.remaining
        if self.workload.kind is Kind.IO:
            start, most = self.costs.thread_start, min(self.threads, self.costs.climb_start)
        else:
            start, most = self.costs.fork_start if self.forkable else self.costs.process_start, self.cores
        spent = self.seen * self.profile.seconds_per_item
        return max(1, self.seen, min(most, int(spent / start)))

    @property
    def measured(self) -> bool:
        """Some item has run and was timed."""
        return self.profile.items > 0
