"""Everything that determines a simulated result; it names the checkpoint and stands in every result file."""

from typing import Any

from mtjspice import __version__
from mtjspice.cards.campaign import CampaignCard
from mtjspice.cards.junction import JunctionCard
from mtjspice.files import sha256_of
from mtjspice.resources import netlists_folder
from mtjspice.switching.points import Engine


def provenance_of(
    card: JunctionCard, campaign: CampaignCard, engine: Engine, ngspice: str, seed: int
) -> dict[str, Any]:
    """Return versions, seed, and hashes of card, campaign and netlist templates, as plain data."""
    templates = sorted(netlists_folder().glob("*.j2"))
    return {
        "mtjspice": __version__,
        "engine": engine.value,
        "ngspice": ngspice,
        "seed": seed,
        "card_sha256": card.sha256,
        "campaign_sha256": campaign.sha256,
        "netlist_sha256": sha256_of("".join(path.read_text(encoding="utf-8") for path in templates)),
    }
