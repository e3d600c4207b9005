"""Connect a seller account from the command line, as the admin's form does."""

import sys
from getpass import getpass

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from orderhub import clock
from orderhub.errors import RuleViolation
from privacy import audit
from privacy.models.event import EventCode
from stores import connecting, marketplaces
from stores.forms import MERCHANT_NAME_LENGTH
from stores.models import Merchant, Store


class Command(BaseCommand):
    help = "Verify a seller account with Amazon and connect its order sources. Nothing is saved unless all is right."

    def add_arguments(self, parser):
        parser.add_argument("--region", required=True, choices=marketplaces.REGIONS)
        parser.add_argument("--seller-id", required=True)
        parser.add_argument(
            "--token", required=True, help="authorisation (refresh) token; - reads it from standard input"
        )
        parser.add_argument("--sources", required=True, help="country codes, such as US,CA,MX")
        parser.add_argument("--merchant", default="", help="name of the client company; default: the seller id")
        parser.add_argument("--product-identifier", default=Store.Identifier.SKU, choices=Store.Identifier.values)

    def handle(self, *, region, seller_id, token, sources, merchant, product_identifier, **options):
        if token == "-":  # noqa: S105  the usual sign for standard input
            token = (getpass("Authorisation token: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
        codes = [code for code in sources.replace(" ", "").split(",") if code]
        try:
            verified = connecting.verify(region, seller_id, token)
            with transaction.atomic():  # a merchant without an account would be left of a refused one
                account = connecting.connect(
                    verified,
                    token,
                    merchant=self._merchant(merchant.strip() or seller_id.strip()),
                    sources=codes,
                    now=clock.now(),
                    product_identifier=product_identifier,
                )
        except RuleViolation as error:
            raise CommandError(str(error)) from None
        audit.record(
            EventCode.STORE_CONNECTED, actor="manage.py connect_account", kind="amazonaccount", ids=[account.pk]
        )
        for store in account.stores.order_by("pk"):
            state = "active" if store.active else "inactive until customer success enables Amazon.co.jp"
            self.stdout.write(f"{store}: {state}")
        self.stdout.write(f"account {account.pk} connected")

    @staticmethod
    def _merchant(name: str) -> Merchant:
        if len(name) > MERCHANT_NAME_LENGTH:
            raise CommandError(f"--merchant may have {MERCHANT_NAME_LENGTH} characters: shorten it.")
        return Merchant.objects.filter(name__iexact=name).first() or Merchant.objects.create(name=name)
