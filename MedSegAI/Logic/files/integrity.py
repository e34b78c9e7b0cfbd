"""Whether an image file holds all that its header promises.

ITK reads a cut NIfTI file or a damaged compressed MetaImage file without a word and fills the rest with zeros, so files
are decoded once here before (and our own files after) ITK has them.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.formats import ending_of
from MedSegAI.Logic.files.nifti_check import refuse_bad_nifti

_CHUNK = 1 << 20
_META_BYTES = {"CHAR": 1, "SHORT": 2, "USHORT": 2, "INT": 4, "UINT": 4, "LONG": 4, "ULONG": 4, "FLOAT": 4, "DOUBLE": 8}
_META_BYTES |= {"UCHAR": 1, "LONG_LONG": 8, "ULONG_LONG": 8}
_NRRD_BYTES = {"char": 1, "short": 2, "int": 4, "long": 8, "float": 4, "double": 8}
_NRRD_BYTES |= {"int8": 1, "int16": 2, "int32": 4, "int64": 8}


class _Broken(Exception):
    """The data end too early or do not decode."""


def refuse_broken(path: Path) -> None:
    """Raise :class:`InputError` when the image file at ``path`` is cut short or damaged.

    NIfTI files are also refused for what ``nifti_check`` finds, and all for a name at which ITK would end the program.
    A header that cannot be made sense of is left for ITK to refuse.
    """
    readable = str(path).encode(errors="replace").decode()
    if readable != str(path):
        raise InputError(
            f"The name '{readable}' holds letters in an old encoding (not UTF-8).", advice="Rename the file or folder."
        )
    checks = {".nii": refuse_bad_nifti, ".nii.gz": refuse_bad_nifti, ".mha": _check_meta, ".mhd": _check_meta}
    check = checks.get(ending_of(path), _check_nrrd)
    try:
        check(path)
    except (_Broken, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"'{path}' is cut short or damaged: {_reason(error)}.", advice="Copy or download the file again."
        ) from error


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, _Broken) else "its compressed data end early or do not decode"


def _need(found: int, wanted: int) -> None:
    if found < wanted:
        raise _Broken(f"it holds {max(found, 0):,} of the {wanted:,} bytes of voxels its header promises")


def _need_file(data: Path) -> None:
    if not data.is_file():
        raise _Broken(f"its voxel file '{data.name}' is missing")


def _check_meta(path: Path) -> None:
    with path.open("rb") as stream:
        fields = dict(_meta_fields(stream))
        start = stream.tell()
    data = path if fields.get("ElementDataFile") == "LOCAL" else path.parent / fields.get("ElementDataFile", "")
    element = _META_BYTES.get(fields.get("ElementType", "").removeprefix("MET_").removesuffix("_ARRAY"))
    if not element or not fields.get("ElementDataFile") or not _is_number_list(fields.get("DimSize", "")):
        return
    _need_file(data)
    wanted = _product(map(int, fields["DimSize"].split())) * element
    wanted *= int(fields.get("ElementNumberOfChannels", "1"))
    with data.open("rb") as stream:
        stream.seek(start if data == path else max(0, int(fields.get("HeaderSize", "0"))))
        if fields.get("CompressedData", "False").lower() == "true":
            _need(_inflated_size(stream), wanted)
        else:
            _need(data.stat().st_size - stream.tell(), wanted)


def _meta_fields(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    """The header lines of a MetaImage, up to the one that says where the voxels are."""
    for line in iter(lambda: stream.readline(10_000), b""):
        key, found, value = line.decode("latin-1").partition("=")
        if not found:
            return
        yield key.strip(), value.strip()
        if key.strip() == "ElementDataFile":
            return


def _check_nrrd(path: Path) -> None:
    with path.open("rb") as stream:
        if not stream.readline(100).startswith(b"NRRD"):
            return
        fields = {}
        for line in iter(lambda: stream.readline(1_000_000).rstrip(b"\r\n"), b""):
            key, found, value = line.decode("latin-1").partition(": ")
            if found:
                fields[key.lower().replace(" ", "")] = value.strip()
        element = _nrrd_element(fields.get("type", ""))
        sizes, encoding = fields.get("sizes", ""), fields.get("encoding", "").lower()
        detached = fields.get("datafile", "")
        if detached and "%" not in detached and not detached.upper().startswith("LIST"):
            _need_file(path.parent / detached)
        if detached or element is None or not _is_number_list(sizes):
            return
        wanted = _product(map(int, sizes.split())) * element
        if encoding in ("gzip", "gz"):
            with gzip.GzipFile(fileobj=stream) as unzipped:
                _need(_length(unzipped), wanted)
        elif encoding == "raw":
            _need(path.stat().st_size - stream.tell(), wanted)


def _nrrd_element(name: str) -> int | None:
    words = name.lower().removeprefix("unsigned ").removeprefix("signed ").removesuffix(" int").removesuffix("_t")
    if words in ("longlong", "long long"):
        return 8
    return _NRRD_BYTES.get(words.removeprefix("u") if words.startswith("u") else words)


def _length(stream: BinaryIO) -> int:
    """Bytes from here to the end; reading to the end makes gzip verify its checksum."""
    return sum(len(chunk) for chunk in iter(lambda: stream.read(_CHUNK), b""))


def _inflated_size(stream: BinaryIO) -> int:
    """Decoded bytes of one zlib stream, whose checksum is verified when its end is reached."""
    decoder, found = zlib.decompressobj(), 0
    for chunk in iter(lambda: stream.read(_CHUNK), b""):
        found += len(decoder.decompress(chunk))
        if decoder.eof:
            return found
    raise EOFError


def _is_number_list(text: str) -> bool:
    return bool(text) and all(word.isdigit() for word in text.split())


def _product(values: Iterable[int]) -> int:
    result = 1
    for value in values:
        result *= max(1, int(value))
    return result
