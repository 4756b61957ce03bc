"""The documentation site: ``make docs`` builds it into ``site/``, and every warning is an error."""

from importlib.metadata import version as _version

project = "sseware"
author = "The sseware developers"
release = version = _version("sseware")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["conf.py"]
nitpicky = False  # type names in signatures are not links

html_theme = "furo"
html_title = "sseware"
html_static_path = ["_static"]
html_css_files = ["wide-tables.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}

# Docstrings name errors without their module; two modules have a StreamError.
suppress_warnings = ["ref.python"]

# A single backtick is code, in docstrings as in Markdown.
default_role = "code"
myst_heading_anchors = 3
myst_links_external_new_tab = False
# The copy button leaves prompts and what a command prints alone.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
