"""Makes everything under testvectors/ anew: `python3 -m interop.vectors`."""

import json
import shutil
from pathlib import Path

from . import formats, hostile, packets, refusals
from .keys import Area, nodes, stranger
from .reference import write_configs

ROOT = Path(__file__).resolve().parents[2] / "testvectors"


def main() -> None:
    for directory in ("chunked", "eblob"):
        shutil.rmtree(ROOT / directory, ignore_errors=True)
    write_configs()
    keys = {name: keys.private() for name, keys in nodes().items()}
    keys |= {"stranger": stranger().private()}
    everything = {"nodes": keys, "area": {"name": Area.name} | Area().text()}
    (ROOT / "keys.json").write_text(json.dumps(everything, indent=1) + "\n")
    made = packets.make(ROOT / "packets")
    packets.sealed(ROOT / "sealed.json")
    refusals.make(ROOT / "refusals", made)
    hostile.make(ROOT / "hostile")
    formats.hashes(ROOT / "mth.json")
    formats.niceness(ROOT / "niceness.json")
    formats.chunked(ROOT / "chunked")
    formats.eblobs(ROOT / "eblob")


main()
