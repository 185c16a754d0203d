# This file is part of qa.
#
# Developed for the LSST Data Management System.
# See the COPYRIGHT file at the top-level directory of this distribution
# for details of code ownership.
#
# This program is free software: you can redistribute it and/or modify
# it under the terms of the GNU General Public License as published by
# the Free Software Foundation, either version 3 of the License, or
# (at your option) any later version.
#
# This program is distributed in the hope that it will be useful,
# but WITHOUT ANY WARRANTY; without even the implied warranty of
# MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
# GNU General Public License for more details.
#
# You should have received a copy of the GNU General Public License
# along with this program.  If not, see <https://www.gnu.org/licenses/>.

"""One page a file: what it shows, and at which addresses.

How to add a page, here one named "nights":

1. Write ``views/nights.py``. It holds ``data(engine, ...)``, which returns
   what the page shows as plain data (strings, numbers, times, lists,
   dictionaries; no NaN: see `..shapes`), and at its end::

       def add(site: Site) -> None:
           @site.route("/nights", "/nights.json")
           def nights(request: Request, day: int | None = None) -> Response:
               return site.show(request, VIEW, data(site.engine, day))

       VIEW = View("nights", add, label="Nights")

   Types of the parameters stand at the top of the module; what they refuse
   becomes an error page. A page about one thing (a run, a night) has its
   name in the path: ``@site.route("/nights/{path:path}", "/night",
   "/night.json")`` with `..links.split_twin`, see ``run.py``.
2. Write ``templates/nights.html``, which extends ``base.html`` and gets what
   ``data`` returned. The same data are the page's JSON twin.
3. Add "nights" to `NAMES` below. A view with a ``label`` is in the
   navigation; one without says in ``section`` whose entry is lit.

Addresses: ``links.page("nights", day=5)``, and about one thing
``links.thing("nights", "night", name)``; both take ``twin=True``. No other
file needs an edit. Charts: a module ``charts/<kind>.py``; ``site.show(...,
charts=function)`` calls ``function(data)`` for pages only, and the template
draws with ``chart(name, charts.name, label)``. What takes long to prepare is
given as ``View(..., prepare=function)``; a page that tells of the present, as
of jobs that run, says ``View(..., fresh=10)``. Scripts and styles: put a file
in ``static/``, and refer to ``asset('nights.js')`` in the blocks ``scripts``
or ``styles``; nothing may be inline, the policy forbids it. Filters of a
template: ``site.templates.filters["name"] = function`` in ``add``.

What changes anything is ``@site.action("/nights/note")``: a POST whose
function gets ``request``, ``who`` (the user) and ``form`` (a dictionary of
strings), and answers with ``site.go(links.page("nights"))``. It has been
checked that the user may write. The form on the page holds
``{{ form_token() }}``; ``who`` in a template is `None` where nobody may.
Raise `~lsst.qa.errors.UnknownNameError` for what does not exist (404) and
`~lsst.qa.errors.InputError` for what makes no sense (422).
"""

from __future__ import annotations

__all__ = ["NAMES", "views"]

import functools
import importlib

from ..site import View

NAMES = (
    "landing",
    "nights",
    "data_id",
    "plot",
    "rows",
    "runs",
    "run",
    "metrics",
    "metric",
    "maps",
    "compare",
    "search",
    "quantum",
    "jobs",
    "job",
    "notes",
    "publishing",
    "sign_in",
    "api",
)
"""The modules of this package that are pages, in the order of navigation."""


@functools.cache
def views() -> tuple[View, ...]:
    """Return all the pages.

    Returns
    -------
    views : `tuple` [`View`, ...]
        In the order of navigation.
    """
    return tuple(importlib.import_module(f".{name}", __name__).VIEW for name in NAMES)
