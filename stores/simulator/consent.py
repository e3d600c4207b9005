"""Seller Central's consent page: the seller picks an account, Amazon sends a code back to the application."""

from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit

from stores.simulator.answers import Answer
from stores.simulator.request import Request
from stores.simulator.world import World


def ask(world: World, request: Request) -> Answer:
    """`GET /apps/authorize/consent`: a button per seller. Error codes are those of the real page."""
    problem = _problem(world, request.query)
    if problem:
        return _page(f"<p>{problem}</p>", 400)
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(request.query[name])}">'
        for name in ("application_id", "state", "redirect_uri", "version")
        if name in request.query
    )
    buttons = "".join(
        f'<p><button name="seller_id" value="{escape(seller.seller_id)}">Confirm as {escape(seller.store_name)} '
        f"({seller.region}: {', '.join(seller.marketplaces)}, {seller.plan.lower()})</button></p>"
        for seller in world.sellers.values()
    )
    return _page(f'<form method="post">{hidden}{buttons}</form>')


def home(world: World, request: Request) -> Answer:
    """`GET /`: where Seller Central would begin."""
    return _page("<p>A seller would sign in here and authorise applications.</p>")


def agree(world: World, request: Request) -> Answer:
    """`POST` of the form: back to the redirect address with state, seller id and a code that lives five minutes."""
    given = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
    seller_id = given.get("seller_id", "")
    problem = _problem(world, given)
    problem = problem or world.consent_refusals.get(seller_id, "" if seller_id in world.sellers else "SPSA0404")
    if problem:
        return _page(f"<p>{problem}</p>", 400)
    target = given.get("redirect_uri") or world.redirect_uris[0]
    back = {
        "state": given["state"],
        "selling_partner_id": seller_id,
        "spapi_oauth_code": world.authorization_code(seller_id),
    }
    joint = "&" if urlsplit(target).query else "?"
    return Answer(302, headers={"Location": f"{target}{joint}{urlencode(back)}", "Referrer-Policy": "no-referrer"})


def _problem(world: World, given: dict[str, str]) -> str:
    target = given.get("redirect_uri", "")
    if given.get("application_id") != world.tokens.application_id or not given.get("state"):
        return "MD1000"
    if world.application_draft and given.get("version") != "beta":
        return "MD1000"
    if "#" in target:
        return "MD5110"
    if not target and not world.redirect_uris:
        return "MD9100"
    if target and world.redirect_uris and target not in world.redirect_uris:
        return "MD5101"
    return ""


def _page(content: str, status: int = 200) -> Answer:
    html = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Simulated Seller Central</title></head>'
        f"<body><h1>Simulated Seller Central</h1>{content}</body></html>"
    )
    return Answer(status, html.encode(), "text/html; charset=utf-8")
