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

"""Settings of the uploader: what a site calls its targets, and the secrets
that they ask for.
"""

from __future__ import annotations

__all__ = ["ENVIRONMENT", "Settings", "TargetSettings"]

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from ..errors import InputError
from .delivery import Policy
from .record import Naming

ENVIRONMENT = {
    "token": ("QA_PUBLISH_TOKEN",),
    "username": ("QA_PUBLISH_USERNAME",),
    "password": ("QA_PUBLISH_PASSWORD",),
    "schema_registry": ("KAFKA_SCHEMA_REGISTRY_URL",),
    "security_protocol": ("KAFKA_SECURITY_PROTOCOL",),
    "bootstrap_servers": ("KAFKA_BOOTSTRAP_SERVERS",),
    "ca_path": ("KAFKA_CLUSTER_CA_PATH",),
    "cert_path": ("KAFKA_CLIENT_CERT_PATH",),
    "key_path": ("KAFKA_CLIENT_KEY_PATH",),
}
"""Environment variables that stand in for settings that no file gives. Those
of Kafka have the names that Sasquatch's own guide uses."""

_FILE_VARIABLE = "QA_PUBLISH_SETTINGS"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TargetSettings(_Model):
    """What is known of a target besides its URL."""

    url: str | None = None
    """URL that a name stands for."""

    token: SecretStr | None = None
    """Token of the REST proxy or of InfluxDB 2."""

    token_file: Path | None = None
    """File that the token is in."""

    username: str | None = None
    """User of InfluxDB 1, of Kafka with SASL, or of the schema registry."""

    password: SecretStr | None = None
    """Password of that user."""

    schema_registry: str | None = None
    """URL of the schema registry of Kafka."""

    security_protocol: str | None = None
    """Security protocol of Kafka, for instance SSL."""

    bootstrap_servers: str | None = None
    """Brokers of Kafka, instead of those in the URL."""

    ca_path: Path | None = None
    """Certificate of the authority that signed for the brokers."""

    cert_path: Path | None = None
    """Certificate of this client."""

    key_path: Path | None = None
    """Key of this client."""

    batch: int = Field(default=1000, ge=1, le=100_000)
    """The most records in a request."""

    timeout: float = Field(default=30.0, gt=0)
    """Seconds that a request may take."""

    partitions: int = Field(default=1, ge=1)
    """Partitions of topics that are made."""

    replication: int = Field(default=3, ge=1)
    """Copies of topics that are made."""

    def secret(self) -> str | None:
        """Return the token.

        Returns
        -------
        token : `str` or `None`
            From the settings or its file.

        Raises
        ------
        InputError
            Raised if the file cannot be read.
        """
        if self.token is not None:
            return self.token.get_secret_value()
        if self.token_file is None:
            return None
        try:
            return self.token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"The file of the token cannot be read: {error}") from error


class Settings(_Model):
    """Settings of the uploader."""

    targets: dict[str, TargetSettings] = {}
    """Targets by the names that the site gives them, or by URL."""

    namespace: str = "lsst.dm"
    """First part of all topics."""

    prefix: str = "qa."
    """What stands between the namespace and the metric in a topic."""

    dataset_tag: str = ""
    """Name of the data, in all records."""

    tags: str = ""
    """Further names, in all records."""

    attempts: int = Field(default=8, ge=1)
    """Attempts in a row after which a target counts as down."""

    first_wait: float = Field(default=0.25, ge=0)
    """Seconds before the second attempt."""

    longest_wait: float = Field(default=30.0, ge=0)
    """The most seconds between attempts."""

    lease: float = Field(default=120.0, gt=0)
    """Seconds without a sign of life after which others take over."""

    @classmethod
    def load(cls, path: str | Path | None = None, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings.

        Parameters
        ----------
        path : `str` or `pathlib.Path`, optional
            YAML file; that of ``QA_PUBLISH_SETTINGS`` if there is none.
        environment : `~collections.abc.Mapping` [`str`, `str`], optional
            Environment variables.

        Returns
        -------
        settings : `Settings`
            Of the file, or all as they are by default.

        Raises
        ------
        InputError
            Raised if the file cannot be read or holds other settings; all
            faults are listed.
        """
        path = path or environment.get(_FILE_VARIABLE)
        if not path:
            return cls()
        try:
            found: Any = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(f"The settings {path} cannot be read: {' '.join(str(error).split())}") from error
        try:
            return cls.model_validate(found)
        except ValidationError as error:
            # Not the error's own text, which quotes what was given.
            wrong = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            raise InputError(f"The settings {path} are wrong: {'; '.join(wrong)}") from None

    def url_of(self, name: str) -> str:
        """Return the URL that a name stands for.

        Parameters
        ----------
        name : `str`
            A name in `targets`, or a URL.

        Returns
        -------
        url : `str`
            The URL.
        """
        known = self.targets.get(name)
        return known.url if known is not None and known.url else name

    def of(self, url: str, environment: Mapping[str, str] = os.environ) -> TargetSettings:
        """Return what is known of a target.

        Parameters
        ----------
        url : `str`
            Its URL.
        environment : `~collections.abc.Mapping` [`str`, `str`], optional
            Environment variables, for what the file does not say.

        Returns
        -------
        settings : `TargetSettings`
            What is known.
        """
        named = (found for name, found in self.targets.items() if url in (name, found.url))
        found = next(named, TargetSettings())
        given = found.model_dump(exclude_unset=True)
        for field, variables in ENVIRONMENT.items():
            said = next((environment[name] for name in variables if environment.get(name)), None)
            if said is not None and field not in given and not (field == "token" and "token_file" in given):
                given[field] = said
        return TargetSettings.model_validate(given)

    def naming(self) -> Naming:
        """Return the names of topics and data.

        Returns
        -------
        naming : `Naming`
            The names.
        """
        return Naming(self.namespace, self.prefix, self.dataset_tag, self.tags)

    def policy(self) -> Policy:
        """Return how patient the uploader is.

        Returns
        -------
        policy : `Policy`
            The patience.
        """
        return Policy(self.attempts, self.first_wait, self.longest_wait)
