"""Settings of Sphinx for the documentation of the package."""

import sys
from pathlib import Path
from typing import Any

import lsst.qa.version

sys.path.insert(0, str(Path(__file__).resolve().parent))

project = "lsst.qa"
author = "The developers of lsst.qa"
release = version = lsst.qa.version.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
autodoc_typehints = "none"
exclude_patterns = ["_build", "changes"]
html_theme = "alabaster"
numpydoc_show_class_members = False


def setup(app: Any) -> None:
    """Have pages made that are made of the package."""
    from metrics_page import write_metrics_page

    app.connect("builder-inited", write_metrics_page)
