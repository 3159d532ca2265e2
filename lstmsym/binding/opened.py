"""A document opened: its text, its lines in the order of reading, its cell, its listings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lstmsym.binding.bind import bind
from lstmsym.binding.called import called
from lstmsym.binding.capitals import name_matrices
from lstmsym.binding.einstein import with_sums
from lstmsym.binding.ending import begun, ended
from lstmsym.binding.fixed import fixed
from lstmsym.binding.generic import for_all_parameters
from lstmsym.binding.given import bind_to
from lstmsym.binding.indexed import by_index, letters_of_gradients
from lstmsym.binding.kinds import letters_of
from lstmsym.binding.laststep import with_last_step
from lstmsym.binding.leading import at_last
from lstmsym.binding.listed import read_listings
from lstmsym.binding.marked import marked
from lstmsym.binding.netinputs import name_net_inputs
from lstmsym.binding.nets import name_arguments
from lstmsym.binding.objective import by_usual_letters, without_arguments
from lstmsym.binding.prepared import lines_of
from lstmsym.binding.renamed import second_names
from lstmsym.binding.spoken import spoken_loss
from lstmsym.binding.stated import held_names, sums_repeated
from lstmsym.binding.table import Bound, Line
from lstmsym.binding.told import Told, told
from lstmsym.binding.updates import as_gradient
from lstmsym.cell import Cell
from lstmsym.documents.read import Document, read
from lstmsym.listings import Listing


@dataclass(frozen=True)
class Opened:
    """What is known of a document before any of its claims is judged."""

    text: str
    document: Document
    told: Told
    lines: Sequence[Line]
    bound: Bound
    listed: Listing

    def with_functions(self, functions: Mapping[str, str]) -> Bound:
        """The document bound with other functions than were assumed."""
        said = replace(self.told, functions={**self.told.functions, **functions})
        bound = bind(self.document, self.lines, said, held_names(self.text, self.document), self.text)
        bound.table.aliases.update(second_names(self.text, self.document, bound.table))
        return replace(bound, final=self.bound.final)

    def listed_with(self, functions: Mapping[str, str]) -> Listing:
        """The listings judged by the text's cell with other functions than were assumed."""
        bound = self.with_functions(functions)
        return read_listings(self.document, bound.cell, called(self.text, self.document, bound.table))

    @property
    def assumed(self) -> dict[str, str]:
        """The functions that the document uses and says nothing of, and what was taken for each."""
        functions = self.bound.table.functions
        open_ = self.bound.table.assumed.keys() & functions.keys() - self.told.functions.keys()
        return {key: functions[key] for key in sorted(open_)}


def opened(text: str, path: str = "", cell: Cell | None = None) -> Opened:
    """Open a document; ``cell`` is that of a document without forward equations.

    Raises:
        DocumentError: the file cannot be used at all.
    """
    document = read(text, path)
    said = told(document, text)
    lines = by_usual_letters(without_arguments(fixed(lines_of(document), at_last(document))))
    lines = with_last_step(lines, letters_of(document, lines))
    letters = letters_of_gradients(lines, said.gradients)
    lines = [(by_index(left, letters), by_index(right, letters), row) for left, right, row in lines]
    gradients = (replace(s, notation=by_index(s.notation, letters)) for s in said.gradients)
    said = replace(said, gradients=tuple(gradients))
    if sums_repeated(text):
        lines = with_sums(lines, letters_of(document, lines))
    lines = marked(lines, letters_of(document, lines))
    lines, final = ended(begun(lines, letters_of(document, lines)), letters_of(document, lines))
    if said.loss is None:
        said = replace(said, loss=spoken_loss(document, lines, text))
    bound = bind(document, lines, said, held_names(text, document), text)
    bound.table.aliases.update(second_names(text, document, bound.table))
    names = called(text, document, bound.table)
    listed = read_listings(document, bound.cell or cell, names)
    cell = bound.cell or cell or listed.cell
    if bound.cell is None and cell is not None:
        bound = bind_to(cell, document, lines, said)
    bound = replace(bound, final=final)
    lines = [(*as_gradient(left, right, bound.table), row) for left, right, row in lines]
    name_net_inputs(lines, bound.table)
    name_arguments(document, lines, bound, text)
    name_matrices(lines, bound)
    return Opened(text, document, said, for_all_parameters(lines, bound), bound, listed)
