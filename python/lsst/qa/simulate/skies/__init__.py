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

"""Light skies: tables drawn directly as columns, by the hundred, whose true
values are known; and what they tell of the metrics' errors.
"""

from .astrometry import PAIRS
from .census import CENSUS, DEPTHS
from .coadds import COADDS
from .coverage import Coverage, covered, tally
from .fields import CLOSE, DETECTORS, FIELDS
from .locus import FARO_LOCUS, HSC_LOCUS, LOCUS
from .matches import COLOURS, LIMITS, MATCHES
from .photometry import BRIGHT, FAINT
from .population import Population
from .products import PRODUCTS
from .ranges import RANGES
from .references import REFERENCES
from .runs import RUNS
from .series import BAND_TO_BAND, SEASONS, WITHIN_R
from .spectra import SPECTRA
from .stars import STARS
from .summaries import SUMMARIES
from .uniformity import ZERO_POINTS

POPULATIONS: tuple[Population, ...] = (
    BRIGHT,
    FAINT,
    PAIRS,
    *STARS,
    SPECTRA,
    *FIELDS,
    *CLOSE,
    DETECTORS,
    LOCUS,
    HSC_LOCUS,
    FARO_LOCUS,
    *DEPTHS,
    *CENSUS,
    *SUMMARIES,
    MATCHES,
    LIMITS,
    COLOURS,
    *PRODUCTS,
    *COADDS,
    *REFERENCES,
    *RANGES,
    *ZERO_POINTS,
    SEASONS,
    BAND_TO_BAND,
    WITHIN_R,
    *RUNS,
)
"""All kinds of skies."""

__all__ = ["POPULATIONS", "Coverage", "Population", "covered", "tally"]
