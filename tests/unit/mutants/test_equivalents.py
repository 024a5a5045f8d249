"""The table of mutants that no test can see names such as there are."""

import re
from pathlib import Path, PurePosixPath

from relever.mutants import suite, tree
from relever.mutants.operators import mutants

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "docs" / "mutants.md"


def test_table__every_row__is_a_mutant_that_is_made() -> None:
    made = {
        (PurePosixPath(mutant.path).stem, mutant.function, mutant.change)
        for mutant in mutants(tree.sources(ROOT), suite.chosen(["all"]))
    }
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \| `(.+?)` \| .+ \|$", TABLE.read_text(), re.M)
    assert len(rows) == TABLE.read_text().count("\n| `") > 0
    assert [row for row in rows if row not in made] == []
