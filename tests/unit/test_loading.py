"""The collector of garbage waits while names are loaded, and is left as it was."""

import gc
import sys

import pytest

from steepest.loading import public_names


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_waits_while_a_name_is_loaded(tmp_path, monkeypatch, collecting):
    package = tmp_path / "lazy_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__init__.pyi").write_text("from .part import thing as thing\n")
    (package / "part.py").write_text("import gc\nthing = gc.isenabled()\n")
    monkeypatch.syspath_prepend(tmp_path)
    get, names, public = public_names("lazy_package", str(package / "__init__.py"))
    assert public == names() == ["thing"]
    seen = gc.isenabled()
    try:
        gc.enable() if collecting else gc.disable()
        assert get("thing") is False
        assert gc.isenabled() is collecting
    finally:
        gc.enable() if seen else gc.disable()
        sys.modules.pop("lazy_package", None)
        sys.modules.pop("lazy_package.part", None)
