"""Short-lived tokens for the tile edge, which has no session: whoever may read a layer gets its token from the API."""

import hashlib
import hmac
import time
from typing import Literal
from uuid import UUID

from django.conf import settings

LayerKind = Literal["imagery", "features"]

# A tile URL stays the same, so the browser's cache holds, for half a day; it works for one to two of them.
BUCKET_S = 12 * 3600


def layer_token(kind: LayerKind, pk: UUID | str) -> str:
    """Return the token that opens the tiles of one layer in this 12-hour bucket and the next."""
    return _sign(kind, pk, _bucket())


def check_layer_token(kind: LayerKind, pk: UUID | str, token: str) -> bool:
    """Return True where the token was made for this layer in this bucket or the one before."""
    now = _bucket()
    given = token.encode()
    return any(hmac.compare_digest(_sign(kind, pk, bucket).encode(), given) for bucket in (now, now - 1))


def _bucket() -> int:
    return int(time.time() // BUCKET_S)


def _sign(kind: LayerKind, pk: UUID | str, bucket: int) -> str:
    text = f"quadrat.layer:{kind}:{pk}:{bucket}"
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]
