"""The checked configuration: what exists, what is to be run, and everything that follows from it."""

from dataclasses import dataclass

from jindbench import registry
from jindbench.config.sections import Sections, Table
from jindbench.data.tasks import Task
from jindbench.parameters import Parameters


@dataclass(frozen=True)
class Dataset:
    """A dataset: the file that loads it, and its parameters."""

    loader: str
    parameters: Parameters


@dataclass(frozen=True)
class Method:
    """A method: its file, its name in tables, the method it starts from, the integration it reads, its parameters."""

    method: str
    title: str
    parent: str | None
    input: str | None
    skip: dict[str, str]
    parameters: Parameters

    @property
    def sees_labels(self) -> bool:
        """Whether it is a control that is given the target's labels."""
        return getattr(registry.component("methods", self.method), "SEES_LABELS", False)


@dataclass(frozen=True)
class Integration:
    """An integration: its file, its name in tables, its parameters."""

    integration: str
    title: str
    cells: str
    parameters: Parameters


class Configuration(Sections):
    """The checked configuration: everything that exists (`Dataset`, `Method`, `Integration`), and the selection."""

    def selected_tasks(self) -> dict[str, Task]:
        """The selected tasks by name."""
        return {name: self.tasks[name] for name in self.run.tasks}

    def selected_datasets(self) -> list[str]:
        """Names of the datasets that the selected tasks read."""
        return list(dict.fromkeys(name for task in self.selected_tasks().values() for name in task.datasets()))

    def shown_tables(self) -> dict[str, Table]:
        """By file name: Table 2 (the run's tasks and methods), and the other tables that have tasks of the run."""
        tables = {"table2": Table(title="Table 2", tasks=self.run.tasks, methods=self.run.methods)}
        for name, table in self.tables.items():
            if tasks := [task for task in self.run.tasks if task in table.tasks]:
                tables[name] = table.model_copy(update={"tasks": tasks})
        return tables

    def selected_methods(self, *, parents: bool = True) -> dict[str, Method]:
        """The methods of all tables by name, followed by those whose models they start from."""
        names = list(dict.fromkeys(name for table in self.shown_tables().values() for name in table.methods))
        for name in names:
            parent = self.methods[name].parent
            if parents and parent is not None and parent not in names:
                names.append(parent)
        return {name: self.methods[name] for name in names}

    def left_out(self, task: str, method: str) -> str | None:
        """Why a method is not run on a task, as the tables show it; None if it is run."""
        entry = self.methods[method]
        if entry.input is not None and self.tasks[task].split is not None:
            return "not applicable"  # one batch: there is nothing to integrate
        if task in entry.skip:
            return f"not run: {entry.skip[task]}"
        return None if entry.parent is None else self.left_out(task, entry.parent)

    def seeds(self, method: str) -> list[int]:
        """Seeds that a method is run with: only the first if the method has no randomness."""
        module = registry.component("methods", self.methods[method].method)
        return self.run.seeds if getattr(module, "RANDOM", True) else self.run.seeds[:1]

    def cells(self, *, parents: bool = False) -> list[tuple[str, str]]:
        """(task, method) of all tables' cells, task by task; with `parents`, also of what they start from."""
        wanted = {
            (task, method) for table in self.shown_tables().values() for task in table.tasks for method in table.methods
        }
        if parents:
            wanted |= {(task, stage) for task, method in wanted for stage in self.chain(method)}
        return [
            (task, method) for task in self.run.tasks for method in self.selected_methods() if (task, method) in wanted
        ]

    def chain(self, method: str) -> list[str]:
        """A method, preceded by those whose models it starts from; the first stage first."""
        parent = self.methods[method].parent
        return [method] if parent is None else [*self.chain(parent), method]

    def work(self, method: str) -> list[str]:
        """What a method's result takes, as records name it: the integration that it reads, then its `chain`."""
        stages = self.chain(method)
        read = dict.fromkeys(self.methods[stage].input for stage in stages)
        return [*(f"integration {name}" for name in read if name is not None), *stages]

    def pairs(self, *, parents: bool = False) -> list[tuple[str, str]]:
        """(task, method) of what is run: the `cells` that are not left out."""
        return [pair for pair in self.cells(parents=parents) if self.left_out(*pair) is None]

    def integrated(self) -> list[tuple[str, str]]:
        """(task, integration) of all integrations that are run."""
        pairs = ((task, self.methods[method].input) for task, method in self.pairs(parents=True))
        return list(dict.fromkeys(pair for pair in pairs if pair[1] is not None))

    def figure_tasks(self, figure: str) -> list[str]:
        """Tasks that a figure of the paper shows."""
        chosen = [task for task in getattr(self.figures, figure) if task in self.run.tasks]
        if figure == "figure5" and not chosen:
            targets = {task: self.tasks[task].target for task in self.run.tasks}
            return [task for task, target in targets.items() if target and target.types != "common"]
        return chosen or self.run.tasks

    def stages(self, task: str) -> list[str]:
        """The stages of the method that the figures show, if all are run on this task; else none."""
        stages = self.chain(self.figures.method) if self.figures.method in self.methods else [self.figures.method]
        return stages if all((task, stage) in self.pairs(parents=True) for stage in stages) else []

    def timed(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """What is timed alone: (task, method) and (task, integration)."""
        tasks = [task for task in self.run.tasks if task in self.runtime.tasks]
        methods = [pair for pair in self.pairs(parents=True) if pair[0] in tasks and pair[1] in self.runtime.methods]
        return methods, [
            pair for pair in self.integrated() if pair[0] in tasks and pair[1] in self.runtime.integrations
        ]

    def held_out(self) -> list[tuple[str, str, str]]:
        """(task, method, reason) of the held-out-type matrix; `reason` says why it is not run, "" if it is."""
        chosen = self.held_out_types

        def reason(task: str, method: str) -> str:
            if self.methods[method].sees_labels:
                return "not applicable: it is given the labels"
            integrated = "not applicable: the integration has seen the type"
            return self.left_out(task, method) or (integrated if self.methods[method].input else "")

        return [
            (task, method, reason(task, method))
            for task, method in self.cells()
            if task in chosen.tasks and method in (chosen.methods or self.run.methods)
        ]

    def selected(self) -> dict:
        """The selection as plain data, with all defaults."""
        sections = ("run", "figures", "differential_expression", "runtime", "held_out_types")
        return {key: getattr(self, key).model_dump() for key in sections} | {
            "tables": {name: table.model_dump() for name, table in self.shown_tables().items() if name != "table2"},
            "tasks": {name: task.model_dump(exclude_none=True) for name, task in self.selected_tasks().items()},
            "datasets": {name: _plain(self.datasets[name]) for name in self.selected_datasets()},
            "integrations": {name: _plain(self.integrations[name]) for _, name in self.integrated()},
            "methods": {name: _plain(method) for name, method in self.selected_methods().items()},
        }

    def task_title(self, task: str) -> str:
        """The task's name in tables and figures."""
        return self.tasks[task].title or task


def _plain(item: Dataset | Method | Integration) -> dict:
    return vars(item) | {"parameters": item.parameters.model_dump()}
