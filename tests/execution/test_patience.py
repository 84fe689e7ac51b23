"""The time that an interrupted block has to stop is the time in which it could run."""

from oi_daemon.execution.process.patience import LONGEST, Patience


class Machine:
    """A clock, and how long each process has waited for a processor."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waited = {1: 7.0}

    def patience(self, grace: float = 2.0) -> Patience:
        return Patience(grace, 0.1, clock=lambda: self.now, waited=lambda p: self.waited[p])

    def over_after(self, patience: Patience, *, share: float, step: float = 0.1) -> float:
        """Seconds until patience is over, if the process gets this share of a processor."""
        begin = self.now
        while not patience.is_over(self.waited):
            self.now += step
            self.waited = {p: waited + step * (1 - share) for p, waited in self.waited.items()}
        return self.now - begin


def test_on_an_idle_machine_it_is_the_grace() -> None:
    machine = Machine()
    assert abs(machine.over_after(machine.patience(), share=1) - 2) < 0.2


def test_a_process_that_gets_a_fifth_of_a_processor_has_five_times_as_long() -> None:
    machine = Machine()
    assert 9 < machine.over_after(machine.patience(), share=0.2) < 11


def test_time_in_which_we_could_not_run_does_not_count() -> None:
    machine = Machine()
    assert machine.over_after(machine.patience(), share=1, step=1.0) > 2.0 / 0.2 - 1


def test_it_ends_for_a_process_that_never_runs() -> None:
    machine = Machine()
    assert LONGEST <= machine.over_after(machine.patience(), share=0) < LONGEST + 0.2


def test_a_process_that_is_new_counts_from_when_it_was_seen() -> None:
    machine = Machine()
    patience = machine.patience()
    patience.is_over(machine.waited)
    machine.waited[2] = 1000.0
    assert machine.over_after(patience, share=1) < 2.5


def test_a_process_that_is_gone_has_not_waited() -> None:
    assert not Patience(2.0, 0.1).is_over([2**22 + 1])
    assert Patience(0.0, 0.1).is_over([])
