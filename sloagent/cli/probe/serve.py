"""`sloagent probe serve`: the sending side of the throughput probe."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import click

from sloagent.errors import ConfigError


def _address(_: click.Context, __: click.Parameter, value: str) -> tuple[str, int]:
    from sloagent.cli.probe.once import given
    from sloagent.web.settings import WebSettings

    settings = given(WebSettings, listen=value)
    return settings.host, settings.port


@click.command(
    short_help="the sending side of a throughput measurement",
    epilog="Example: sloagent probe serve --listen 0.0.0.0:9471",
)
@click.option(
    "--listen", "address", default="127.0.0.1:9471", show_default=True, metavar="HOST:PORT", callback=_address,
    help="Where to listen; port 0 lets the system choose.",
)  # fmt: skip
@click.option(
    "--tls", "certificate", nargs=2, metavar="CERT KEY", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Speak https with this certificate and its key.",
)  # fmt: skip
def command(address: tuple[str, int], certificate: tuple[Path, Path] | None) -> None:
    """Send blocks of bytes to whoever asks: GET /blocks?size=BYTES&n=BLOCKS&period=MILLISECONDS.

    Everybody who can connect can have up to 16 MiB a block for ten minutes: listen where only the probe gets. SIGTERM
    ends it.
    """
    import socket
    import ssl

    from sloagent.probes.blocks import BlockServer

    tls = None
    if certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            tls.load_cert_chain(*certificate, password="")
        except (OSError, ValueError) as error:
            told = f"{certificate[0]} and {certificate[1]} are no certificate with its unlocked key"
            raise ConfigError(f"--tls: {told}") from error
    host, port = address
    try:
        server = BlockServer(host, port, tls)
    except OSError as error:
        told = str(error.strerror) if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise ConfigError(f"--listen: {host}:{port}: {told.lower()}") from None
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, lambda *_: server.close())
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"listening on {'https' if tls else 'http'}://{shown}:{server.port}", err=True)
    server.serve()
