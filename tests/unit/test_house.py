"""No room grows larger than it may without a reason; what measures them measures rightly."""

from __future__ import annotations

from pathlib import Path

import grimp

from tests import house
from tests.house import Limits, Size


def test_no_room_is_too_large_without_a_reason() -> None:
    """Cut it, or say in tests/house.toml why it has to be so."""
    assert house.limits().excess(house.sizes()) == []


def test_every_excuse_is_a_sentence() -> None:
    assert all(len(why.split()) >= 3 for names in house.limits().excused.values() for why in names.values())


def test_no_circle_of_imports() -> None:
    assert house.circles(grimp.build_graph(*house.PRODUCT)) == []


def test_rooms_are_measured(tmp_path: Path) -> None:
    for room in house.PRODUCT:
        (tmp_path / room / "below").mkdir(parents=True)
    (tmp_path / "smpp" / "__init__.py").write_text("")
    source = (
        "class Bind:\n    def hear(self):\n        def inner():\n            pass\n        return inner\n"
    )
    (tmp_path / "smpp" / "below" / "bind.py").write_text(source)

    assert house.sizes(tmp_path) == [
        Size("folder", "smpp.below", 1),
        Size("file", "smpp.below.bind", 5),
        Size("class", "smpp.below.bind:Bind", 5),
        Size("function", "smpp.below.bind:hear", 2),
        Size("function", "smpp.below.bind:inner", 2),
    ]


def test_a_reason_excuses_by_name_or_by_module_and_name() -> None:
    large = [Size("class", "smpp.link.link:Link", 300), Size("class", "smpp.intake.batcher:Lane", 250)]
    most = {"class": 200}

    assert [one.size for one in Limits(most=most, excused={"class": {}}).excess(large)] == [300, 250]
    assert (
        Limits(most=most, excused={"class": {"Link": "…", "smpp.intake.batcher:Lane": "…"}}).excess(large)
        == []
    )
    assert Limits(most=most, excused={"class": {"Link": "…", "Gone": "…"}}).needless(large) == ["class Gone"]


def test_circles_and_names_of_two_are_found() -> None:
    graph = grimp.ImportGraph()
    for importer, imported in (("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")):
        graph.add_import(importer=importer, imported=imported)
    assert house.circles(graph) == [["a", "b", "c"]]

    told = [Size("class", name, 1) for name in ("a:Line", "b:Line", "b:_Own", "c:_Own", "c:Wire")]
    assert house.twice(told) == {"Line": ["a", "b"]}
