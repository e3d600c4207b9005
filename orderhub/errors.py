"""Errors named for what the caller does next.

Texts carry ids, codes and routes, never people: queues, logs and screens keep them.
"""


class OrderHubError(Exception):
    """Base of every error we raise on purpose."""


class RuleViolation(OrderHubError):
    """A rule of ours forbids it. The text is a translated sentence that says what to do instead."""


class ConnectorError(OrderHubError):
    """Base of what can go wrong between us and a marketplace.

    `detail`: the marketplace's own words. They may repeat an address: never part of the text, kept as personal data.
    """

    detail = ""

    def __init__(self, message: str, *, code: str = "", request_id: str = ""):
        super().__init__(message)
        self.code = code
        self.request_id = request_id


class TryLater(ConnectorError):
    """Throttled, or provably without effect. `wait_s`: seconds before the next try makes sense."""

    def __init__(self, message: str, *, wait_s: float, code: str = "", request_id: str = ""):
        super().__init__(message, code=code, request_id=request_id)
        self.wait_s = wait_s


class Throttled(TryLater):
    """The marketplace, or our own copy of its bucket, says not now. Never counts as an attempt."""


class OutcomeUnknown(ConnectorError):
    """A request left, its answer was not seen or not readable. Read before anything else is sent."""


class CredentialsRejected(ConnectorError):
    """The marketplace no longer accepts the token. A person must authorise again."""


class OperatorMistake(CredentialsRejected):
    """The application's own client id or secret is refused: the operator's to mend, not the seller's."""


class RequestRejected(ConnectorError):
    """Will never work as it is: note it on the item and go on with the next."""


class UnexpectedAnswer(ConnectorError):
    """Their format moved, or we misread it. `restart`: the page asked for cannot be had, read from the start."""

    restart = False
