"""`/__sim__/`: looks into the world and changes it while it runs. Loopback only, no personal data."""

import ipaddress
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from stores.simulator import scenarios
from stores.simulator.answers import Answer, Refusal, as_json, error
from stores.simulator.clock import stamp
from stores.simulator.request import Request
from stores.simulator.world import World


def _bad(message: str) -> Refusal:
    return Refusal(error(400, "BadRequest", message))


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, dict):
        return {key: _plain(below) for key, below in value.items()}
    return [_plain(below) for below in value] if isinstance(value, list) else value


class Control:
    def __init__(self, world: World) -> None:
        self.world = world

    def answer(self, asked: Request, remote_address: str) -> Answer:
        if not _loopback(remote_address):
            return error(403, "Forbidden", "The control endpoint answers loopback only.")
        try:
            with self.world.lock:
                return as_json(_plain(self._handler(asked)()))
        except Refusal as refusal:
            return refusal.answer
        except (KeyError, TypeError, ValueError) as reason:
            return error(400, "BadRequest", f"Not understood: {type(reason).__name__}")

    def _handler(self, asked: Request) -> Callable[[], Any]:
        parts = asked.path.removeprefix("/__sim__/").strip("/").split("/")
        match [asked.method, *parts]:
            case ["GET", "ledger"]:
                return lambda: self.world.ledger
            case ["GET", "labels"]:
                return lambda: self.world.parcels.ledger
            case ["GET", "requests"]:
                return lambda: self.world.requests
            case ["GET", "orders"]:
                return self._orders
            case ["GET", "shops"]:
                return self._shops
            case ["GET", "summary"]:
                return self._summary
            case ["POST", "faults"]:
                return lambda: self._faults(_body(asked))
            case ["POST", "clock"]:
                return lambda: self._clock(_body(asked))
            case ["POST", "scenario"]:
                return lambda: self._scenario(_body(asked))
            case ["POST", "orders", order_id, "cancel"]:
                return lambda: self._cancel(order_id)
            case ["POST", "orders", order_id, "request-cancellation"]:
                reason = _body(asked).get("reason", "")
                return lambda: self._ask_cancellation(order_id, reason)
            case ["POST", "secrets"]:
                return lambda: {"live": self.world.rotate_secret(**_body(asked))}
            case ["POST", "sellers", seller_id, "revoke"]:
                return lambda: self._revoke(seller_id)
            case ["POST", "sellers", seller_id, "renew"]:
                return lambda: {"refresh_token": self.world.renew(self.world.sellers[seller_id])}
        raise Refusal(error(404, "NotFound", "There is no such control."))

    def _orders(self) -> list[dict[str, Any]]:
        return [
            {
                "order_id": order.order_id,
                "seller_id": order.seller_id,
                "marketplace": order.marketplace,
                "status": order.status,
                "fulfilled_by": order.fulfilled_by,
                "created": order.created,
                "updated": order.updated,
            }
            for order in self.world.orders.values()
        ]

    def _shops(self) -> list[dict[str, Any]]:
        """What happened at each BigCommerce store, and which mails its buyers would have got."""
        return [
            {"store_hash": shop.store_hash, "ledger": shop.ledger, "mails": shop.mails}
            for shop in self.world.shops.values()
        ]

    def _summary(self) -> dict[str, Any]:
        orders = self.world.orders.values()
        confirmations = self.world.effective_confirmations()
        return {
            "now": self.world.clock.now(),
            "scale": self.world.clock.scale,
            "orders": len(orders),
            "by_status": Counter(order.status for order in orders),
            "by_marketplace": Counter(order.marketplace for order in orders),
            "confirmed": len(confirmations),
            "confirmed_twice": sorted(order_id for order_id, count in confirmations.items() if count > 1),
            "calls": Counter(entry["operation"] for entry in self.world.requests),
            "faults": [
                {"operation": fault.operation, "kind": fault.kind, "times": fault.times, "after": fault.after}
                for fault in self.world.faults.armed()
            ],
        }

    def _faults(self, wish: dict[str, Any]) -> dict[str, Any]:
        """`{"clear": true}`, or {operation, kind, times, after, and the kind's own options}."""
        if wish.pop("clear", False):
            self.world.faults.clear()
        if wish:
            self.world.faults.arm(wish.pop("operation"), wish.pop("kind"), **wish)
        return {"armed": len(self.world.faults.armed())}

    def _clock(self, wish: dict[str, Any]) -> dict[str, Any]:
        if "set" in wish:
            self.world.clock.set(datetime.fromisoformat(wish["set"]))
        if "advance" in wish:
            self.world.clock.advance(seconds=float(wish["advance"]))
        if "scale" in wish:
            self.world.clock.scale = float(wish["scale"])
        return {"now": self.world.clock.now(), "scale": self.world.clock.scale}

    def _scenario(self, wish: dict[str, Any]) -> dict[str, Any]:
        now = datetime.fromisoformat(wish["now"]) if "now" in wish else datetime.now(UTC)
        self.world.become(scenarios.NAMED[wish["name"]](now=now, seed=int(wish.get("seed", 7))))
        return self._summary()

    def _cancel(self, order_id: str) -> dict[str, Any]:
        self.world.cancel(order_id)
        return {"status": self.world.orders[order_id].status}

    def _ask_cancellation(self, order_id: str, reason: str) -> dict[str, Any]:
        self.world.request_cancellation(order_id, reason or "Ordered by mistake")
        return {"status": self.world.orders[order_id].status}

    def _revoke(self, seller_id: str) -> dict[str, Any]:
        self.world.revoke(self.world.sellers[seller_id])
        return {"revoked": seller_id}


def _body(asked: Request) -> dict[str, Any]:
    try:
        data = json.loads(asked.body or b"{}")
    except ValueError:
        raise _bad("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise _bad("The body is not a JSON object.")
    return data
