"""Who we are at an API: a kubeconfig's context or the service account of the pod, read by kubernetes_asyncio."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import yaml

from sloagent.errors import ConfigError
from sloagent.probes.settings import EndpointSettings

if TYPE_CHECKING:
    import aiohttp

READ_BUFFER_BYTES = 2**21
"""Larger than any object, so that no event of a watch is read in pieces."""
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Credentials:
    """An address, what TLS needs, and an `Authorization` header that is read again when asked for.

    The library's own texts are not shown: they quote the entry of the kubeconfig, its token with it.
    """

    def __init__(self, name: str, settings: EndpointSettings) -> None:
        self._name = name
        self._file = kubeconfig_of(settings)
        self._context = settings.context
        self._configuration: Any = None  # the library is imported when a probe runs, and has no types of its own
        self._loader: Any = None
        self._proxy: str | None = None

    async def read(self) -> None:
        """Read the files, or what an exec plug-in says, again. Raises ConfigError with what was found."""
        from kubernetes_asyncio.client.configuration import Configuration
        from kubernetes_asyncio.config import ConfigException
        from kubernetes_asyncio.config.incluster_config import InClusterConfigLoader
        from kubernetes_asyncio.config.kube_config import load_kube_config

        fresh = Configuration()
        try:
            if self._file is None:
                InClusterConfigLoader(
                    str(SERVICE_ACCOUNT / "token"), str(SERVICE_ACCOUNT / "ca.crt"), try_refresh_token=False
                ).load_and_set(fresh)
            elif self._loader is None:
                check_kubeconfig(self._file, self._context)
                self._loader = await load_kube_config(
                    str(self._file), self._context, fresh, persist_config=False, temp_file_path=_private_directory()
                )
            else:  # what an exec plug-in gave is good until it says
                await self._loader.load_and_set(fresh)
        except (ConfigException, OSError, KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
            told = str(error) if str(error).startswith(("exec: process returned", "Service ")) else type(error).__name__
            raise ConfigError(
                f"{self._name}: no credentials from {self.origin}: {told}", hint=_hint(self._file)
            ) from None
        self._configuration = fresh
        self._proxy = fresh.proxy or _proxy_of_environment(self.host)

    @property
    def origin(self) -> str:
        """Where the credentials are from, for people."""
        if self._file is None:
            return f"the service account in {SERVICE_ACCOUNT}"
        return f"{self._file}" + (f", context {self._context}" if self._context else "")

    @property
    def host(self) -> str:
        """The address, with its scheme and no slash at its end."""
        return str(self._configuration.host).rstrip("/")

    @property
    def authorization(self) -> str | None:
        """The header's value; none where a certificate says who we are."""
        found: str | None = self._configuration.api_key.get("BearerToken")
        return found.strip() if found else None

    @property
    def certificate(self) -> tuple[str | None, str | None]:
        """The files of the client's certificate and key; where an exec plug-in gives a new one it is another pair."""
        return self._configuration.cert_file, self._configuration.key_file

    @property
    def server_name(self) -> str | None:
        """The name that the server's certificate must bear, where it is not that of the address."""
        found: str | None = self._configuration.tls_server_name
        return found

    @property
    def proxy(self) -> str | None:
        """The proxy on the way, from the kubeconfig, else from the environment as kubectl takes it."""
        return self._proxy

    def session(self, connections: int) -> aiohttp.ClientSession:
        """An HTTP session with TLS set up: at most so many connections at once. Raises ConfigError."""
        import ssl

        import aiohttp
        from kubernetes_asyncio.client.rest import RESTClientObject

        try:
            made: aiohttp.ClientSession = RESTClientObject(self._configuration, maxsize=connections).pool_manager
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"{self._name}: the certificates of {self.origin} cannot be used: {type(error).__name__}"
            ) from None
        # The library's session reads netrc and the environment for each request, in a thread, and what stands in netrc
        # would take the place of our token.
        session = aiohttp.ClientSession(connector=made.connector, read_bufsize=READ_BUFFER_BYTES)
        made.detach()
        return session


def kubeconfig_of(settings: EndpointSettings) -> Path | None:
    """The kubeconfig in force, as kubectl would find it; None for the service account of the pod."""
    if settings.kubeconfig is not None:
        return settings.kubeconfig
    if named := os.environ.get("KUBECONFIG"):
        return Path(named)
    usual = Path("~/.kube/config").expanduser()
    return usual if usual.exists() else None


def check_kubeconfig(path: Path, context: str | None) -> None:
    """Raise ConfigError where the file is none, or has not the context or what it names."""
    try:
        found = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or 'cannot be read').lower()}", hint=_hint(path)) from None
    except yaml.YAMLError:
        raise ConfigError(f"{path}: this is no YAML", hint=_hint(path)) from None
    if not isinstance(found, dict) or not isinstance(found.get("contexts"), list):
        raise ConfigError(f"{path}: this is no kubeconfig: it has no list of contexts", hint=_hint(path))
    named = {entry["name"]: entry.get("context") or {} for entry in found["contexts"] if _is_named(entry)}
    chosen = context or found.get("current-context")
    if chosen not in named:
        said = f"no context is named {chosen}" if chosen else "no context is chosen, and there is no current-context"
        raise ConfigError(f"{path}: {said}", hint=f"there are: {', '.join(sorted(named)) or 'none'}")
    for kind in ("cluster", "user"):
        there = {entry["name"] for entry in found.get(f"{kind}s") or [] if _is_named(entry)}
        if named[chosen].get(kind) not in there:
            raise ConfigError(f"{path}: context {chosen} names a {kind} that is not in the file")


def _proxy_of_environment(url: str) -> str | None:
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    return getproxies().get(parts.scheme)


def _is_named(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str)


def _hint(file: Path | None) -> str:
    return "" if file is not None else "write `kubeconfig:`, or set KUBECONFIG, where this is no pod of the cluster"


@cache
def _private_directory() -> str:
    """Where the library puts certificates that stand in a kubeconfig, since TLS reads files only; ours alone."""
    directory = tempfile.mkdtemp(prefix="sloagent-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory
