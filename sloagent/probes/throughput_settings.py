"""The settings of the throughput probe: which sending side is received from, how much, how fast and how often."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from sloagent import units
from sloagent.probes.http_settings import TLSSettings, web_address
from sloagent.probes.settings import Name
from sloagent.settings import ByteSize, Duration, Settings

LARGEST_BLOCK_BYTES = 16 * 1024 * 1024
MOST_BLOCKS = 1_000_000_000
MOST_CONNECTIONS = 64
LONGEST_SECONDS = 600.0
"""Of one run; a little more is what the sending side sends without being asked anew."""
SMALLEST_UNPACED_BYTES = 64 * 1024
"""Below it a run without a pace measures how quickly calls are made, not what the network carries."""


def _byte_rate(value: object) -> object:
    return units.rate(value, "bytes") if isinstance(value, str) else value


ByteRate = Annotated[
    float,
    BeforeValidator(_byte_rate),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9].*B/(s|m|h|d)$", "examples": ["125MB/s"]}, mode="validation"),
]
"""Bytes a second; written with unit and time: `125MB/s` is 1 Gbit/s."""


class ThroughputSettings(Settings):
    """One sending side (`sloagent probe serve`) from which blocks are received on schedule."""

    name: Name
    url: str
    """Of the sending side; `/blocks` is added to it."""
    connections: int = Field(default=1, ge=1, le=MOST_CONNECTIONS)
    block: ByteSize = Field(default=128 * 1024, ge=1, le=LARGEST_BLOCK_BYTES)
    pace: Annotated[ByteRate, Field(gt=0)] | None = None
    """Over all connections; without it as fast as it goes."""
    duration: Duration = Field(default=10.0, ge=0.1, le=LONGEST_SECONDS)
    every: Duration = Field(default=300.0, gt=0, le=86_400)
    timeout: Duration = Field(default=10.0, gt=0, le=600)
    """For connecting."""
    tls_config: TLSSettings = TLSSettings()

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        if web_address(value).query:
            raise ValueError("url must be that of the sending side, without a query, such as http://host:9471")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _can_be_measured(self) -> Self:
        if self.every <= self.duration:
            raise ValueError("every must be longer than duration: a run ends before the next begins")
        if self.pace is None and self.block < SMALLEST_UNPACED_BYTES:
            raise ValueError("without a pace a block has at least 64KiB; smaller ones measure calls, not the network")
        if self.blocks < 2:
            raise ValueError(
                "in its duration a connection has to get two blocks; take smaller blocks, or a higher pace"
            )
        return self

    @property
    def period_seconds(self) -> float:
        """From one block to the next of a connection; 0 is as fast as it goes."""
        return self.block * self.connections / self.pace if self.pace else 0.0

    @property
    def blocks(self) -> int:
        """How many blocks each connection asks for; without a pace more than can come."""
        return min(MOST_BLOCKS, int(self.duration / self.period_seconds)) if self.pace else MOST_BLOCKS
