"""Requests to a bucket that is not public, signed as S3 asks for it (AWS Signature Version 4, headers).

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, whose example the tests repeat. The
libraries that do this bring an HTTP client of their own, which we could not hold to an address.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key: its id, and the secret that never leaves this process."""

    key_id: str
    secret: str = field(repr=False)


def signed(
    url: str, headers: Mapping[str, str], *, region: str, keys: Keys, moment: datetime | None = None
) -> dict[str, str]:
    """Return the headers of a GET without a query or a body, signed.

    Args:
        url: absolute; its path is percent-encoded as it will be sent.
        headers: further ones, which are signed too; names in lower case.
        region: of the bucket.
        keys: whose signature it is.
        moment: when it is sent; now where not given.
    """
    parts = urlsplit(url)
    stamp = (moment or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    full = {**headers, "host": parts.netloc, "x-amz-content-sha256": EMPTY_SHA256, "x-amz-date": stamp}
    names = ";".join(sorted(full))
    lines = "".join(f"{name}:{full[name].strip()}\n" for name in sorted(full))
    request = "\n".join(("GET", parts.path or "/", parts.query, lines, names, EMPTY_SHA256))
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    wanted = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{keys.secret}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    signature = hmac.digest(key, wanted.encode(), "sha256").hex()
    credential = f"Credential={keys.key_id}/{scope},SignedHeaders={names},Signature={signature}"
    return {**full, "authorization": f"{ALGORITHM} {credential}"}
