"""What can go wrong with an exchange, told apart so that each gets its own reaction.

ExchangeError
├── Unreachable   no connection, DNS, reset, TLS: transient
├── TooSlow       a total deadline passed: transient
├── ServerFault   HTTP 5xx, maintenance: transient
├── Truncated     the body ended early or is not what its encoding says: transient
├── Throttled     HTTP 429, an in-body "too many requests": wait until `retry_at`
├── Banned        HTTP 418, "banned until", a WAF's challenge: no request before `retry_at`
├── Blocked       HTTP 451 or 403: not served here, or not to us
├── Refused       another 4xx, an error inside a 200: asking again will not help
└── Drift         the answer is not in the documented shape, or far too large
"""


class ExchangeError(Exception):
    """One sentence for a person: what happened and what to do, cleaned, with no URL query in it.

    `retry_at` (UTC seconds) is when the exchange may be asked again; None leaves it to the schedule.
    """

    transient = False

    def __init__(self, message: str, *, retry_at: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_at = retry_at


class Unreachable(ExchangeError):
    transient = True


class TooSlow(ExchangeError):
    transient = True


class ServerFault(ExchangeError):
    transient = True


class Truncated(ExchangeError):
    transient = True


class Throttled(ExchangeError):
    pass


class Banned(ExchangeError):
    pass


class Blocked(ExchangeError):
    pass


class Refused(ExchangeError):
    pass


class Drift(ExchangeError):
    pass
