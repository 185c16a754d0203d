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

# The standard metrics of a visit's sources.
config.metrics = [
    "e1_residual_median",
    "e1_residual_scatter",
    "e2_residual_median",
    "e2_residual_scatter",
    "size_residual_median",
    "size_residual_scatter",
    "sky_flux_median",
    "sky_flux_mean",
    "sky_flux_stdev",
    "sky_flux_sigma_mad",
    "n_sources",
    "n_primary",
    "n_stars",
    "psf_flux_finite_fraction",
    "flag_fraction.psfFlux_flag",
    "flag_fraction.centroid_flag",
    "flag_fraction.pixelFlags_bad",
    "flag_fraction.pixelFlags_cr",
    "flag_fraction.pixelFlags_edge",
    "flag_fraction.pixelFlags_interpolated",
    "flag_fraction.pixelFlags_saturated",
    "flag_fraction.pixelFlags_suspect",
]
config.by = ["detector"]
