"""Settings of Sphinx for the documentation of the package."""

import lsst.qa.version

project = "lsst.qa"
author = "The developers of lsst.qa"
release = version = lsst.qa.version.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
autodoc_typehints = "none"
exclude_patterns = ["_build", "changes"]
html_theme = "alabaster"
numpydoc_show_class_members = False
