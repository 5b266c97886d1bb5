"""The step of the explanation about the content coding: which one a file is sent with, and why it has no other."""

import os
import stat

from pwb_async.core.semantics.codings import CODINGS
from pwb_async.core.site.compressible import is_compressible
from pwb_async.core.site.findings import OpenFile
from pwb_async.core.site.lookup import Lookup
from pwb_async.storage.coders import FAST_LEVELS
from pwb_async.storage.compression import LARGEST, SMALLEST
from pwb_async.storage.precompressed import ENDINGS, TOLERANCE, is_sendable

from .explanation import Detail, Step, Verdict
from .outcome import Outcome, count_bytes, shown, why_not_opened


def coding_step(outcome: Outcome, lookup: Lookup, found: OpenFile) -> Step:
    """Which coding the file has, and what became of its coded neighbours."""
    if reason := _no_choice(outcome, lookup, found):
        return Step("coding", f"none: {reason}")
    details = [Detail(coding.decode(), Verdict.NOT_ASKED, "is not accepted") for coding in CODINGS]
    for number, coding in enumerate(CODINGS):
        if coding in lookup.codings.codings:
            details[number] = _neighbour(outcome, found, coding)
    if found.compressed:
        sizes = f"{count_bytes(_status(outcome, found.path, found.size))} become {count_bytes(found.size)}"
        result = f"{found.coding.decode()} {FAST_LEVELS[found.coding]}, compressed for this request: {sizes}"
    elif found.coding:
        result = f"{found.coding.decode()}, of the file beside it"
    else:
        result = f"none: {_not_compressed(outcome, lookup, found)}"
    return Step("coding", result, tuple(details))


def _no_choice(outcome: Outcome, lookup: Lookup, found: OpenFile) -> str:
    """Why no coding could be chosen; "" if one could."""
    options = outcome.options
    if not (options.precompressed or options.compress):
        return "--no-precompressed and --no-compress"
    if found.path not in [each.path for each in lookup.candidates]:
        return "pages of errors have none"
    media = outcome.site.media(lookup.request, found)
    if len(media) > 1:
        return "it is coded already, as the ending of its name shows (--serve-encoded)"
    if not is_compressible(media[0][1]):
        return f"{media[0][1].decode('latin-1')} is not worth compressing"
    if lookup.request.fields.get(b"accept-encoding") is None:
        return "the request has no Accept-Encoding"
    if lookup.codings.preferences:
        return ""
    if lookup.request.fields.get(b"range") is not None and not options.precompressed:
        return "a request with Range gets a part of the content as it is"
    return "Accept-Encoding names none that PWB has, or prefers the content as it is"


def _not_compressed(outcome: Outcome, lookup: Lookup, found: OpenFile) -> str:
    """Why the content was not compressed for this request."""
    if not outcome.options.compress:
        return "nothing is compressed when it is requested (--no-compress)"
    if not lookup.compress:
        if lookup.request.fields.get(b"range") is None:
            return "a rule sets Cache-Control: no-transform"
        return "a request with Range gets a part of the content as it is"
    if found.generated:
        return "its content is generated while it is read"
    if found.size < SMALLEST:
        return f"{count_bytes(found.size)}, and less than {SMALLEST} are not worth compressing"
    if found.size > LARGEST:
        return f"{count_bytes(found.size)}, and more than {LARGEST >> 20} MiB are not compressed for a request"
    return "its content would not become 5 % smaller"


def _neighbour(outcome: Outcome, found: OpenFile, coding: bytes) -> Detail:
    """What became of the coded file beside another one."""
    if not outcome.options.precompressed:
        return Detail(coding.decode(), Verdict.NOT_ASKED, "is accepted; no coded file is looked for")
    path = found.path + ENDINGS[coding]
    attempt = next(outcome.attempts(path), None)
    if attempt is None:
        return Detail(shown(path), Verdict.NOT_ASKED, "is not looked for")
    if attempt.errno is not None:
        return Detail(shown(path), Verdict.LOST, why_not_opened(attempt.errno))
    assert attempt.status is not None
    size = count_bytes(attempt.status.st_size)
    if found.coding == coding and not found.compressed:
        return Detail(shown(path), Verdict.CHOSEN, f"fits, {size}")
    if reason := _rejected(outcome, found, coding, attempt.status):
        return Detail(shown(path), Verdict.LOST, reason)
    better = found.coding.decode() if found.coding and not found.compressed else shown(found.path)
    return Detail(shown(path), Verdict.LOST, f"{size}; {better} is preferred by its weight or its size")


def _rejected(outcome: Outcome, found: OpenFile, coding: bytes, status: os.stat_result) -> str:
    """Why a neighbour cannot be sent at all; "" if it can."""
    path = found.path + ENDINGS[coding]
    original = next((each.status for each in outcome.attempts(found.path) if each.status), None)
    if not stat.S_ISREG(status.st_mode) or original is None:
        return "is no regular file"
    if not status.st_size:
        return "is empty"
    if status.st_mtime_ns < original.st_mtime_ns - TOLERANCE:
        return f"is older than {shown(found.path)}, so it may have the content of another version"
    try:
        fits = is_sendable(outcome.real_path(path), coding, status, original)
    except OSError as error:
        return why_not_opened(error.errno)
    return "" if fits else f"does not hold {shown(found.path)}: it is no {coding.decode()}, or of another version"


def _status(outcome: Outcome, path: bytes, size: int) -> int:
    """The size of a file on the disk; `size` if that is not known."""
    return next((each.status.st_size for each in outcome.attempts(path) if each.status), size)
