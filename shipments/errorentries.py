"""What each error means, who can act, and what to do: the texts of the catalogue. Read by errorcatalogue.

The codes and messages are those of Amazon's and BigCommerce's own documents, and ours. `4xx`: any such status that
came without a reason. A step keeps its word for good: who ticked it off is kept under `<entry>.<word>`.
"""

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

AMAZON, BIGCOMMERCE = "amazon", "bigcommerce"


class Kind(TextChoices):
    """What an error is about."""

    ACCOUNT = "account", _("account or billing")
    ORDER = "order", _("this order or parcel")
    THROTTLING = "throttling", _("limits of the marketplace")
    OURS = "ours", _("OrderHub or the connection")
    SETTING = "setting", _("a setting or a rule here")


class Who(TextChoices):
    """Who can act."""

    NOBODY = "nobody", _("nobody has to: OrderHub goes on by itself")
    SUPPORT = "support", _("support")
    SELLER = "seller", _("the seller, with the marketplace")
    ADMINISTRATOR = "administrator", _("the administrator of OrderHub")


@dataclass(frozen=True)
class Step:
    """One thing to do. `code` never changes: it is kept with who ticked it off."""

    code: str
    text: str


@dataclass(frozen=True)
class Entry:
    """One error. `codes`: exact codes; `said`: words in the marketplace's own text that tell it; `channel` '': any."""

    key: str
    kind: str
    who: str
    meaning: str
    steps: tuple[Step, ...]
    codes: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    channel: str = ""


def _entry(key: str, kind: str, who: str, meaning: str, codes: str = "", *, said=(), channel="", **steps) -> Entry:
    """`codes`: parted by blanks. `steps`: their words and texts, in the order in which they are done."""
    made = tuple(Step(f"{key}.{word}", text) for word, text in steps.items())
    return Entry(key, kind, who, meaning, made, tuple(codes.split()), tuple(said), channel)


# What several entries ask for
COMPARE = _("Open the order in Seller Central and compare its parcel with the one here.")
BY_HAND = _("Where Amazon shows this parcel as shipped, mark the notice as done by hand.")
DO_NOT_SEND = _("If the parcel has not left, do not send it, and void its shipment here.")
RETRY = _("Then retry the notice.")
WAIT = _("Wait: OrderHub tries again by itself at the time shown.")
NO_PUSH = _("Do not retry by hand before that time: it lengthens the wait.")
LAST_A_DAY = _("If it lasts for more than a day, tell the administrator.")
READ_BACK = _("Wait: OrderHub reads the order at the marketplace before it sends anything again.")
TELL = _("Tell the administrator, with the code shown here.")
READ_WORDS = _("Read the marketplace's own words, on the order's page.")
ONE_BY_ONE = _("Nothing is lost: each order of the submission is read at Amazon, and told by itself if need be.")
RENEW = _("Open the account's page and follow the steps there to authorise it again.")
GOES_ON = _("Nothing has to be retried: the notices that wait go on by themselves once it is mended.")
QUOTE_AGAIN = _("Ask for the prices again, and buy one of the services offered then.")
OWN_LABEL = _("Or buy the label elsewhere, and type its carrier and tracking number here.")

ENTRIES: tuple[Entry, ...] = (
    # -- account or billing
    _entry(
        "billing", Kind.ACCOUNT, Who.SELLER,
        _("Amazon rejects what this seller sends because of the seller's account or billing, not because of the notice itself."),
        "InternalServiceError FeedRejected Rejected", said=("InternalServiceError", "Feed rejected", "Flux rejeté"), channel=AMAZON,
        retry=_("Retry the failed steps, or notify the marketplace again."),
        reconfigure=_("Configure the store again, then retry."),
        payment=_("Make sure that the seller's payment method is valid and that no payment is overdue."),
        contact=_("Contact Amazon."),
    ),
    _entry(
        "authorisation", Kind.ACCOUNT, Who.SELLER,
        _("Amazon no longer accepts the seller's authorisation: it has ended, or the seller took it back."),
        "invalid_grant Unauthorized NoToken", said=("token is revoked", "token you provided"), channel=AMAZON,
        ask=_("Ask the seller whether the application was switched off in Seller Central, under “Manage Your Apps”."),
        renew=RENEW, wait=GOES_ON,
    ),
    _entry(
        "access", Kind.ACCOUNT, Who.ADMINISTRATOR,
        _("Amazon does not let this application, or this seller, do what was asked: a role or a marketplace is missing."),
        "AccessDeniedException AccessDenied", said=("does not have access to",), channel=AMAZON,
        marketplace=_("Check in Seller Central that the seller still sells on this marketplace."),
        role=_("Check on the application's page at Amazon that it has the roles for orders and shipments."),
        renew=RENEW,
    ),
    _entry(
        "feeds-not-allowed", Kind.ACCOUNT, Who.ADMINISTRATOR,
        _("Amazon takes no submissions of many orders from this account. Its orders are told one by one."),
        "FeedsNotAllowed", channel=AMAZON,
        nothing=ONE_BY_ONE,
        role=_("Check on the application's page at Amazon that it has the roles for orders and shipments."),
        renew=RENEW,
    ),
    _entry(
        "feed-fatal", Kind.ACCOUNT, Who.SELLER,
        _("Amazon broke off a whole submission and processed none of its orders."),
        "FeedFatal FATAL", channel=AMAZON,
        nothing=ONE_BY_ONE,
        payment=_("If it happens again, make sure that the seller's payment method is valid and that no payment is overdue."),
        health=_("Look at the account's health in Seller Central."),
        tell=TELL,
    ),
    # -- limits
    _entry(
        "throttled", Kind.THROTTLING, Who.NOBODY,
        _("Amazon takes only so many calls in a given time, and this one came too early. Nothing is lost."),
        "QuotaExceeded 429 TooManyRequests", said=("exceeded your quota",), channel=AMAZON,
        wait=WAIT, patience=NO_PUSH,
        batch=_("Make many labels as one batch: Amazon is then told in one submission for each account."),
    ),
    _entry(
        "bucket", Kind.THROTTLING, Who.NOBODY,
        _("OrderHub held the call back, because Amazon would have refused it: too many went out just before."),
        "BucketEmpty",
        wait=WAIT, patience=NO_PUSH,
        batch=_("Make many labels as one batch: Amazon is then told in one submission for each account."),
    ),
    # -- the order
    _entry(
        "order-gone", Kind.ORDER, Who.SUPPORT,
        _("Amazon does not find the items of this order: it was probably cancelled."),
        "NonexistentOrderItem", said=("NonexistentOrderItem", "Failed to find order item list"), channel=AMAZON,
        check=_("Look in Seller Central whether the order is cancelled."),
        keep=DO_NOT_SEND, hand=BY_HAND,
    ),
    _entry(
        "cancelled", Kind.ORDER, Who.SUPPORT, _("The order is cancelled at the marketplace."), "Cancelled",
        check=_("Look at the order at the marketplace: who cancelled it, and when."),
        keep=DO_NOT_SEND,
        hand=_("If the parcel has left, settle it with the buyer, then mark the notice as done by hand."),
    ),
    _entry(
        "already-shipped", Kind.ORDER, Who.SUPPORT,
        _("Amazon answers that this order is already shipped, or that more units were told than were ordered."),
        "PackageToUpdateNotFound", said=("PackageToUpdateNotFound", "already fulfilled", "matching package"), channel=AMAZON,
        compare=COMPARE, hand=BY_HAND,
        other=_("Where Amazon shows another parcel, find out who confirmed it before you send anything."),
    ),
    _entry(
        "edited-too-often", Kind.ORDER, Who.SUPPORT,
        _("This parcel was changed at Amazon as often as Amazon allows."),
        said=("maximum number of allowed updates",), channel=AMAZON,
        compare=COMPARE, hand=BY_HAND, contact=_("If Amazon shows a wrong number, contact Amazon."),
    ),
    _entry(
        "edited-meanwhile", Kind.ORDER, Who.SUPPORT, _("Somebody changed this parcel at Amazon meanwhile."),
        "InvalidPackageVersion", said=("InvalidPackageVersion",), channel=AMAZON,
        compare=COMPARE, hand=BY_HAND, retry=RETRY,
    ),
    _entry(
        "item-unknown", Kind.ORDER, Who.SUPPORT, _("Amazon does not know one of the lines that the notice names."),
        said=("OrderItemId is invalid",), channel=AMAZON,
        compare=_("Compare the order's lines here with those in Seller Central."),
        fetch=_("Fetch the order from Amazon anew, with the button on its page."),
        retry=RETRY,
    ),
    _entry(
        "order-unknown", Kind.ORDER, Who.SUPPORT, _("Amazon does not know this order number for this seller."),
        "NotFound 18028", channel=AMAZON,
        number=_("Search the order number in Seller Central, with the account of this store."),
        store=_("Check that the order stands under the right store here."),
        hand=_("If the order belongs to another account, confirm it there and mark the notice as done by hand."),
    ),
    _entry(
        "refused", Kind.ORDER, Who.SUPPORT, _("Amazon refuses something in the notice."),
        "InvalidInput InvalidRequest InvalidInputException", channel=AMAZON,
        read=READ_WORDS,
        check=_("Check carrier, service, tracking number and ship date of the parcel."),
        compare=COMPARE, retry=RETRY, hand=BY_HAND,
    ),
    # -- submissions of many orders
    _entry(
        "feed-cancelled", Kind.OURS, Who.NOBODY, _("A submission of many orders was cancelled before Amazon processed it."),
        "FeedCancelled", channel=AMAZON,
        nothing=ONE_BY_ONE, tools=_("If nobody of yours cancelled it in Seller Central, look for other tools of the seller."), tell=LAST_A_DAY,
    ),
    _entry(
        "feed-stuck", Kind.OURS, Who.NOBODY, _("Amazon did not finish a submission of many orders in time."),
        "FeedStuck", channel=AMAZON,
        nothing=ONE_BY_ONE, status=_("Look whether Amazon reports a disturbance of its feeds."), tell=LAST_A_DAY,
    ),
    _entry(
        "feed-report", Kind.OURS, Who.NOBODY,
        _("What became of a submission cannot be told: Amazon's report is missing, unreadable, or does not add up."),
        "ReportMissing ReportUnreadable CountsDiffer FeedGone FeedAmbiguous", channel=AMAZON,
        nothing=ONE_BY_ONE, look=_("Look at its orders in a quarter of an hour: each then shows its own result."), tell=LAST_A_DAY,
    ),
    # -- OrderHub and the connection
    _entry(
        "application", Kind.OURS, Who.ADMINISTRATOR,
        _("Amazon refuses OrderHub's own sign-in: its client ID or secret is wrong or has expired."),
        "invalid_client unauthorized_client invalid_request invalid_scope unsupported_grant_type", said=("client secret",), channel=AMAZON,
        tell=TELL, rotate=_("The administrator renews the client secret, as the start page explains."), wait=GOES_ON,
    ),
    _entry(
        "reference", Kind.OURS, Who.ADMINISTRATOR, _("Amazon does not accept OrderHub's number for this parcel."),
        said=("PackageReferenceId is invalid",), channel=AMAZON,
        tell=TELL, confirm=_("Until it is mended, confirm the parcel in Seller Central."), hand=BY_HAND,
    ),
    _entry(
        "connection", Kind.OURS, Who.NOBODY, _("The marketplace could not be reached, or the connection broke off."),
        "SignInUnclear server_error temporarily_unavailable NotAllowed "
        "ConnectionError ConnectTimeout ReadTimeout Timeout SSLError ProxyError ChunkedEncodingError ContentDecodingError "
        "RequestException HTTPError HTTPWarning TooManyRedirects InvalidURL InvalidProxyURL InvalidHeader InvalidSchema "
        "MissingSchema URLRequired RetryError StreamConsumedError UnrewindableBodyError InvalidJSONError JSONDecodeError "
        "ProtocolError IncompleteRead InvalidChunkLength DecodeError ReadTimeoutError ConnectTimeoutError TimeoutError "
        "TimeoutStateError NewConnectionError NameResolutionError MaxRetryError HostChangedError PoolError RequestError "
        "EmptyPoolError FullPoolError ClosedPoolError LocationValueError LocationParseError URLSchemeUnknown "
        "ResponseError ResponseNotChunked BodyNotHttplibCompatible HeaderParsingError "
        "ProxySchemeUnknown ProxySchemeUnsupported OSError ConnectionResetError ConnectionAbortedError "
        "ConnectionRefusedError BrokenPipeError BlockingIOError InterruptedError gaierror herror SSLZeroReturnError "
        "SSLWantReadError SSLWantWriteError SSLSyscallError SSLEOFError SSLCertVerificationError ValueError UnicodeError "
        "UnicodeEncodeError UnicodeDecodeError",
        wait=WAIT, read=READ_BACK, tell=LAST_A_DAY,
    ),
    _entry(
        "too-slow", Kind.OURS, Who.NOBODY, _("The marketplace's answer did not come in time: nobody knows yet whether it took effect."),
        "time-limit OutcomeUnknown NoAnswer",
        read=READ_BACK, never=_("Do not send anything again by other means meanwhile."), tell=LAST_A_DAY,
    ),
    _entry(
        "their-fault", Kind.OURS, Who.NOBODY, _("The marketplace had a fault of its own and could not answer."),
        "5xx InternalError InternalFailure InternalServerError ServiceUnavailable",
        read=READ_BACK, status=_("Look whether the marketplace reports a disturbance."), tell=LAST_A_DAY,
    ),
    _entry(
        "no-reason", Kind.OURS, Who.NOBODY,
        _("The call came back without the marketplace's reason: something in between may have answered for it."),
        "3xx 4xx Redirect",
        read=READ_BACK, proxy=_("If it lasts, the administrator looks at proxies and firewalls between OrderHub and the marketplace."),
        tell=TELL,
    ),
    _entry(
        "unreadable", Kind.OURS, Who.ADMINISTRATOR, _("The marketplace answered in a form that OrderHub cannot read."),
        "UnreadableAnswer UnexpectedAnswer Misread TooLarge 2xx PageLoop",
        read=READ_BACK, compare=COMPARE, tell=TELL,
    ),
    _entry(
        "bad-value", Kind.OURS, Who.ADMINISTRATOR, _("OrderHub holds a value that cannot be sent to the marketplace."),
        "BadPath BadHeader BadHash",
        check=_("Look at order number and tracking number for signs that do not belong there."),
        tell=TELL, hand=BY_HAND,
    ),
    _entry(
        "broken-off", Kind.OURS, Who.ADMINISTRATOR, _("OrderHub broke off several times while it sent this notice."), "Poison",
        compare=COMPARE, tell=TELL, hand=BY_HAND, retry=RETRY,
    ),
    _entry(
        "taken-over", Kind.OURS, Who.NOBODY, _("OrderHub stopped while it sent this notice, and another part of it took it over."),
        "LeaseLost",
        read=READ_BACK, look=_("Look at it again in a few minutes."), tell=LAST_A_DAY,
    ),
    # -- settings and rules
    _entry(
        "by-hand", Kind.SETTING, Who.SUPPORT,
        _("This store's settings say that OrderHub never tells Amazon of its parcels."), "StorePolicy", channel=AMAZON,
        confirm=_("Confirm the shipment in Seller Central, with the carrier and the tracking number shown here."),
        hand=_("Then mark the notice as done by hand."),
        settings=_("Or change when Amazon is told, on the store's page."),
    ),
    _entry(
        "connector", Kind.SETTING, Who.NOBODY,
        _("The connector between BigCommerce and Amazon tells Amazon of this store's parcels."), "ToldByConnector", channel=AMAZON,
        look=_("If Amazon still waits for a parcel, look at the connector first."),
        shop=_("Check that the BigCommerce order is shipped and has its tracking number."),
        link=_("To let OrderHub tell Amazon instead, change the answer on the store's page, under BigCommerce."),
    ),
    _entry(
        "rule", Kind.SETTING, Who.SUPPORT, _("An automation rule says that Amazon is not told of this order."), "AutomationRule", channel=AMAZON,
        rule=_("Look at the rules applied, on the order's page."),
        tell=_("If Amazon must know after all, let OrderHub tell it now."),
        hand=_("Or confirm the shipment in Seller Central, and mark the notice as done by hand."),
    ),
    _entry(
        "provider", Kind.SETTING, Who.NOBODY,
        _("The label is Amazon's own, and Amazon confirms the order with it."), "ToldByProvider", channel=AMAZON,
        nothing=_("Nothing has to be told."),
        compare=_("If Seller Central still shows the order as not shipped after an hour, look at the label there."),
        contact=_("If Seller Central does not know the label, contact Amazon."),
    ),
    # -- BigCommerce
    _entry(
        "shop-token", Kind.ACCOUNT, Who.SELLER, _("BigCommerce does not accept the token of this store."), "401", channel=BIGCOMMERCE,
        account=_("Check in BigCommerce, under “Store-level API accounts”, that the account of OrderHub still exists."),
        renew=_("Paste its token anew on the BigCommerce store's page here."), wait=GOES_ON,
    ),
    _entry(
        "shop-scope", Kind.ACCOUNT, Who.SELLER,
        _("BigCommerce does not let this token do what was asked: a scope is missing, or the store's plan or owner has changed."),
        "403", channel=BIGCOMMERCE,
        scope=_("Make a new API account in BigCommerce, with “Orders: modify”: an existing one cannot be changed."),
        renew=_("Paste its token anew on the BigCommerce store's page here."), wait=GOES_ON,
    ),
    _entry(
        "shop-busy", Kind.THROTTLING, Who.NOBODY,
        _("BigCommerce takes only so many calls in half a minute, shared by all tools of the store."), "429", channel=BIGCOMMERCE,
        wait=WAIT, patience=NO_PUSH, others=_("If it lasts, look which other tools call the store so often."),
    ),
    _entry(
        "shop-unknown", Kind.ORDER, Who.SUPPORT, _("BigCommerce does not know this store, or no longer knows this order."),
        "404 410", channel=BIGCOMMERCE,
        order=_("Look whether the order still exists in BigCommerce."),
        store=_("Check the store hash on the BigCommerce store's page."), retry=RETRY,
    ),
    _entry(
        "shop-refused", Kind.ORDER, Who.SUPPORT, _("BigCommerce refuses something in the notice."),
        "400 405 406 409 413 415 422", channel=BIGCOMMERCE,
        compare=_("Compare lines, quantities and status of the order in BigCommerce with those here."),
        enter=_("If need be, enter the shipment in BigCommerce, then mark the notice as done by hand."), retry=RETRY,
    ),
    _entry(
        "mirror-missing", Kind.ORDER, Who.SUPPORT, _("BigCommerce has no order with this order number, or no longer has it."),
        "MirrorNotFound MirrorGone", channel=BIGCOMMERCE,
        look=_("Search the order number in BigCommerce: the connector may be late, or the order was deleted there."),
        field=_("If the order is there, write the order number into its external order ID."), retry=RETRY,
        hand=_("If it was deleted on purpose, mark the notice as done by hand."),
    ),
    _entry(
        "mirror-twice", Kind.ORDER, Who.SUPPORT, _("Several orders in BigCommerce have this order number, and OrderHub does not guess."),
        "MirrorTwice", channel=BIGCOMMERCE,
        compare=_("Find out which of them is the right one."), archive=_("Archive the others in BigCommerce."), retry=RETRY,
    ),
    _entry(
        "mirror-status", Kind.ORDER, Who.SUPPORT, _("The order's status in BigCommerce allows no shipment."),
        "MirrorIncomplete MirrorRefunded MirrorCancelled MirrorDeclined MirrorUnverified MirrorDisputed MirrorPartlyRefunded MirrorOtherStatus",
        channel=BIGCOMMERCE,
        look=_("Look in BigCommerce why the order is not to be sent."), keep=DO_NOT_SEND,
        status=_("If it left all the same, set it to Awaiting Fulfillment there."), retry=RETRY,
    ),
    _entry(
        "shop-locked", Kind.ORDER, Who.SUPPORT, _("Somebody or something holds this order in BigCommerce just now."), "423", channel=BIGCOMMERCE,
        close=_("Close the order where it stands open in BigCommerce."), wait=WAIT, retry=RETRY,
    ),
    _entry(
        "shop-plan", Kind.ACCOUNT, Who.SELLER, _("The plan of this BigCommerce store is used up."), "507", channel=BIGCOMMERCE,
        plan=_("Look at the plan and its limits in BigCommerce."), payment=_("Make sure that no payment to BigCommerce is overdue."), retry=RETRY,
    ),
    _entry(
        "shop-down", Kind.ACCOUNT, Who.SELLER, _("This BigCommerce store is down or suspended."), "503", channel=BIGCOMMERCE,
        open=_("Open the shop in a browser: if it does not answer, look at the store's state in BigCommerce."), wait=WAIT, tell=LAST_A_DAY,
    ),
    # -- labels of Amazon
    _entry(
        "label-funds", Kind.ACCOUNT, Who.SELLER, _("The seller's balance or payment method does not cover this label."), "InsufficientFunds",
        payment=_("Make sure that the seller's payment method is valid and that no payment is overdue."),
        again=QUOTE_AGAIN, elsewhere=OWN_LABEL,
    ),
    _entry(
        "label-from", Kind.SETTING, Who.SUPPORT, _("Amazon does not accept the address the parcel leaves from."), "InvalidShipFromAddress",
        address=_("Check the ship-from address on the store's page: street, city, postcode, country and phone."),
        again=QUOTE_AGAIN, elsewhere=OWN_LABEL,
    ),
    _entry(
        "label-offer", Kind.ORDER, Who.SUPPORT, _("The price that was chosen no longer stands: Amazon keeps one for ten minutes."),
        "InvalidShippingServiceOfferId",
        again=QUOTE_AGAIN, quick=_("Buy within ten minutes of the quote."), elsewhere=OWN_LABEL,
    ),
    _entry(
        "label-window", Kind.ORDER, Who.SELLER, _("It is too late to void this label with Amazon."), "LabelCancelWindowExpired",
        keep=_("Use the label if the parcel can still leave with it."),
        refund=_("Ask Amazon for a refund in Seller Central, under Buy Shipping."),
        contact=_("If the refund is refused, contact Amazon."),
    ),
    _entry(
        "label-format", Kind.ORDER, Who.SUPPORT, _("The carrier does not print this label in the format asked for."), "LabelFormatNotSupported",
        format=_("Choose another format, such as PDF."), again=QUOTE_AGAIN, elsewhere=OWN_LABEL,
    ),
    _entry(
        "label-exists", Kind.ORDER, Who.SUPPORT, _("Amazon already sold a label for this order."), "ShipmentAlreadyExists",
        find=_("Look for the label in Seller Central, under Buy Shipping."),
        use=_("Use it, and type its carrier and tracking number here."),
        void=_("Or void it there, then buy a new one."),
    ),
    _entry(
        "label-none", Kind.ORDER, Who.SUPPORT, _("No carrier offers a label for this parcel as it was described."),
        "ShipmentRequestDetailsTooRestrictive NO_COVERAGE",
        parcel=_("Check weight and size of the parcel, and the delivery address."),
        date=_("Ask again with a later ship date, or without a wish for the service."), elsewhere=OWN_LABEL,
    ),
)  # fmt: skip

OTHER = _entry(
    "other", Kind.ORDER, Who.SUPPORT, _("OrderHub does not know this error. Its code is kept."),
    read=READ_WORDS, compare=COMPARE, retry=RETRY, tell=TELL,
)  # fmt: skip
