"""Names of files that are made of somebody's words: two names never share a file, on any file system."""

import hashlib

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
_LONGEST = 40  # characters of a word; file systems allow 255 bytes in all
# names that Windows keeps for devices, whatever their ending
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))}


def file_name(*words: str, ending: str = "") -> str:
    """A file name that says `words` and belongs to them alone.

    Parameters
    ----------
    *words : str
        Any texts: names of problems, metrics, figures.
    ending : str
        What follows, e.g. ".png".

    Returns
    -------
    str
        The words joined by "-" where each is plain: lower-case ASCII letters, digits and "_", at most 40 of them.
        Otherwise what is left of them when all else becomes "_", and ten digits of the SHA-256 of the exact words:
        names that differ in a symbol, in upper and lower case, or behind the 40th character differ in these.
    """
    plain = ["".join(c if c in _PLAIN else "_" for c in word.lower())[:_LONGEST] or "_" for word in words]
    stem = "-".join(plain)
    if plain != list(words) or stem in _DEVICES:
        exact = "\0".join(f"{len(word)} {word}" for word in words)
        stem += "-" + hashlib.sha256(exact.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return stem + ending
