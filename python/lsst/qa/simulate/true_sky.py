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

"""The catalogue of what is truly in a tract: every star and galaxy, detected
or not.
"""

from __future__ import annotations

__all__ = ["true_pieces"]

from collections.abc import Iterator

import numpy as np

from .camera import deproject
from .populations import BLOCK, galaxy_block, star_block, within
from .sky import BLEND, STAR, object_id, tract_centre
from .survey import BANDS, Survey


def true_pieces(survey: Survey, tract: int) -> Iterator[dict[str, np.ndarray]]:
    """Make the catalogue of a tract, piece by piece.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.

    Yields
    ------
    columns : `dict` [`str`, `numpy.ndarray`]
        ``id``, the same as of objects; ``ra`` and ``dec`` in degrees;
        ``is_pointsource``; and a magnitude in each band.
    """
    for number, block_of in ((survey.stars, star_block), (survey.galaxies, galaxy_block)):
        # At least one block, whose columns an empty catalogue needs.
        for block in range(max(-(-number // BLOCK), 1)):
            piece = block_of(survey, tract, block)
            drawn = piece.take(within(survey, piece))
            drawn = drawn.take(drawn.kind != BLEND)
            ra, dec = deproject(*tract_centre(survey, tract), drawn.x, drawn.y)
            mags = {f"{band}_mag": drawn.mag[:, BANDS.index(band)] for band in survey.filters}
            yield {
                "id": object_id(tract, drawn.number),
                "ra": ra,
                "dec": dec,
                "is_pointsource": drawn.kind == STAR,
                **mags,
            }
