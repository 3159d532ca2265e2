"""Modules import one way: each only from those before it."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "lstmsym"
ORDER = """deadline defects mistakes refusals signatures sizes values notation shapes rules printing latex
declare page settle cell cells render normal derive steps program planning.choices planning.prepare
planning.layout planning.memory planning.region planning.forward planning.backward planning.storage
schedule tidy backends backends.numpy.spelling backends.numpy.names backends.numpy.sizes
backends.numpy.writer backends.numpy emit generated checks checks.cases checks.report checks.values
checks.directions checks.gradients checks.calls check verify verify.system verify.words verify.latex
verify.pullback verify.losses verify.jacobian verify.elaborate verify.held verify.scope
verify.claims verify.poly verify.numbering verify.indices verify.canonical verify.meaning
verify.prove verify.arithmetic verify.evaluate verify.sequence verify.paths verify.witness
verify.readings verify.edits verify.repair verify.explain verify.nulls verify.judge verify.across
verify.ranges verify.instances verify.chains verify.matching verify.induction verify.sensitive
documents.result listings.source listings.plainer listings.records listings.appended listings.zipped
listings.numerical listings.naming listings.keys listings.statements listings.around listings.stacks
listings.gathered listings.inline listings.arrays listings.scope listings.steps listings.slices
listings.branches listings.functions listings.expressions listings.returned listings.loops
listings.forward listings.spans listings.lines listings.pairing listings.objective listings.sized
listings.building listings.outline listings.driving listings.begun listings.truth listings.findings
listings.code listings.start listings.gradients listings.names listings.added listings.blocks
listings.backward listings.edits listings.mending listings.meant listings.ends listings.judging
listings.kept listings.write listings.flow listings.rows listings.meanings listings.given
listings.read listings pages documents documents.limits documents.file documents.formula
documents.symbols documents.macros documents.scanned documents.tokens documents.plain
documents.latex documents.cursor documents.scripts documents.tables documents.gradients
documents.parse documents.times documents.write documents.lines documents.hypertext
documents.wording documents.rows documents.front documents.layout documents.reach documents.prose
documents.split documents.read documents.links report svg
binding
binding.quantity
binding.messages
binding.table
binding.called
binding.renamed
binding.updates
binding.stacks
binding.templates
binding.ranges
binding.units
binding.einstein
binding.lettered
binding.defined
binding.netinputs
binding.capitals
binding.pointfree
binding.primed
binding.secants
binding.direct
binding.squares
binding.readout
binding.entries
binding.shares
binding.chains
binding.values
binding.numbering
binding.omitted
binding.limits
binding.activations
binding.dotted
binding.express
binding.outer
binding.rowwise
binding.marked
binding.numbered
binding.prepared
binding.leading
binding.fixed
binding.objective
binding.standing
binding.systems
binding.abbreviated
binding.ending
binding.kinds
binding.stated
binding.spoken
binding.told
binding.indexed
binding.standin
binding.differential
binding.forward
binding.running
binding.upright
binding.ranks
binding.loss
binding.alike
binding.bind
binding.restated
binding.remaining
binding.generic
binding.slots
binding.given
binding.onestep
binding.guesses
binding.scope
binding.author
binding.choices
binding.claims
binding.changes
binding.patterns
binding.computed
binding.consistency
binding.arguments
binding.definitions
binding.columns
binding.usage
binding.twins
binding.solve
binding.slopes
binding.evidence
binding.across
binding.laststep
binding.alone
binding.shortened
binding.several
binding.sensitivities
binding.symbols
binding.listed
binding.holding
binding.inherited
binding.sentback
binding.summed
binding.general
binding.slips
binding.turned
binding.unstated
binding.undefined
binding.judging
binding.nets
binding.opened
binding.supposed
binding.relied
binding.guarded
binding.elsewhere
binding.verify
reporting reporting.chinese reporting.words reporting.plain reporting.table reporting.mathml
reporting.markdown reporting.graph reporting.drawing reporting.page reporting.portrait
reporting.compare reporting.claims reporting.written locate verifying terminal beside training demo
__init__ __main__""".split()


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts)
        found[name.removesuffix(".__init__") if name != "__init__" else name] = path
    return found


def layer(name: str) -> int:
    for prefix in (name, name.rpartition(".")[0]):
        if prefix in ORDER:
            return ORDER.index(prefix)
    raise AssertionError(f"lstmsym.{name} has no place in the order: give it one in {Path(__file__).name}")


def imports(path: Path) -> set[str]:
    """What a module imports from the package, inside functions too, but not for type checkers only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    known = modules()
    found = set()
    for node in ast.walk(tree):
        if (
            id(node) in hidden
            or not isinstance(node, ast.ImportFrom)
            or not (node.module or "").startswith("lstmsym")
        ):
            continue
        base = (node.module or "").removeprefix("lstmsym").lstrip(".")
        for alias in node.names:
            full = f"{base}.{alias.name}".lstrip(".")
            found.add(full if full in known else base or "__init__")
    return found


def test_imports_point_one_way() -> None:
    for name, path in modules().items():
        for other in imports(path):
            assert layer(other) < layer(name) or other == name.rpartition(".")[0] or other == name, (
                f"lstmsym.{name} imports lstmsym.{other}, which comes after it"
            )


def test_no_import_hides_in_a_function() -> None:
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                inner = [n for n in ast.walk(node) if isinstance(n, (ast.Import, ast.ImportFrom))]
                assert not inner, f"lstmsym.{name}: an import inside {node.name}"
