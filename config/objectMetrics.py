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

# The standard metrics of a tract's objects.
config.metrics = [
    "coadd_e1_residual_median",
    "coadd_e1_residual_scatter",
    "coadd_e2_residual_median",
    "coadd_e2_residual_scatter",
    "coadd_size_residual_median",
    "coadd_size_residual_scatter",
    "coadd_sky_flux_median",
    "coadd_sky_flux_mean",
    "coadd_sky_flux_stdev",
    "coadd_sky_flux_sigma_mad",
    "coadd_n_objects",
    "coadd_n_primary",
    "coadd_n_stars",
    "coadd_psf_flux_finite_fraction",
    "coadd_flag_fraction.psfFlux_flag",
    "coadd_flag_fraction.pixelFlags_edge",
    "coadd_flag_fraction.pixelFlags_nodata",
    "coadd_flag_fraction.pixelFlags_saturatedCenter",
]
