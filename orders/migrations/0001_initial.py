"""Orders, and no statistics of people.

PostgreSQL's planner keeps samples of column values. Of people it keeps none, from before the first row on: set later,
the samples already taken would stay for ever, because ANALYZE no longer replaces them.
"""

import django.db.models.deletion
import orderhub.clock
from django.conf import settings
from django.db import migrations, models


TABLE = "orders_orderpersonaldata"
COLUMNS = (
    "buyer_name", "buyer_username", "buyer_email", "buyer_company", "purchase_order_number",
    "recipient_name", "recipient_company", "street1", "street2", "street3", "phone",
    "gift_message", "buyer_notes", "delivery_instructions",
    "romanised_name", "romanised_company", "romanised_street1", "romanised_street2", "romanised_street3",
    "city", "district", "state", "postal_code",
)  # fmt: skip


def keep_none(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    quote = schema_editor.connection.ops.quote_name
    changes = ", ".join(f"ALTER COLUMN {quote(column)} SET STATISTICS 0" for column in COLUMNS)
    schema_editor.execute(f"ALTER TABLE {quote(TABLE)} {changes}")


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('stores', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Order',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('order_number', models.CharField(max_length=60, verbose_name='order number')),
                ('seller_order_id', models.CharField(blank=True, max_length=60, verbose_name='seller order ID')),
                ('origin_marketplace', models.CharField(default='amazon', max_length=12, verbose_name='origin')),
                ('status', models.CharField(choices=[('awaiting_payment', 'Awaiting payment'), ('awaiting_shipment', 'Awaiting shipment'), ('pending_fulfillment', 'Pending fulfilment'), ('on_hold', 'On hold'), ('shipped', 'Shipped'), ('cancelled', 'Cancelled')], max_length=20, verbose_name='status')),
                ('custom_status', models.CharField(blank=True, max_length=40, verbose_name='marketplace status')),
                ('fulfilled_by', models.CharField(choices=[('MFN', 'Merchant'), ('AFN', 'Amazon (FBA)')], max_length=3, verbose_name='fulfilled by')),
                ('programs', models.JSONField(blank=True, default=list, verbose_name='programs')),
                ('is_business', models.BooleanField(default=False, verbose_name='business order')),
                ('is_prime', models.BooleanField(default=False, verbose_name='Prime')),
                ('is_gift', models.BooleanField(default=False, verbose_name='gift')),
                ('replaces', models.CharField(blank=True, max_length=60, verbose_name='replaces order')),
                ('ordered_at', models.DateTimeField(verbose_name='ordered at')),
                ('ship_by', models.DateTimeField(blank=True, null=True, verbose_name='ship by')),
                ('earliest_ship_at', models.DateTimeField(blank=True, null=True, verbose_name='earliest ship date')),
                ('deliver_by', models.DateTimeField(blank=True, null=True, verbose_name='deliver by')),
                ('service_level', models.CharField(blank=True, max_length=40, verbose_name='service level')),
                ('payment_method', models.CharField(blank=True, max_length=120, verbose_name='payment method')),
                ('currency', models.CharField(blank=True, max_length=3, verbose_name='currency')),
                ('item_total', models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='items')),
                ('shipping_total', models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='shipping')),
                ('tax_total', models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='tax')),
                ('discount_total', models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='discounts')),
                ('gift_wrap_total', models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='gift wrap')),
                ('order_total', models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='order total')),
                ('hold_reason', models.CharField(blank=True, max_length=200, verbose_name='reason for the hold')),
                ('cancel_requested_at', models.DateTimeField(blank=True, null=True, verbose_name='cancellation requested at')),
                ('cancel_reason_code', models.CharField(blank=True, max_length=60, verbose_name='cancellation reason')),
                ('first_imported_at', models.DateTimeField(default=orderhub.clock.now, verbose_name='first imported at')),
                ('amazon_updated_at', models.DateTimeField(blank=True, null=True, verbose_name='updated at Amazon')),
                ('content_hash', models.CharField(blank=True, editable=False, max_length=32)),
                ('shipped_at', models.DateTimeField(blank=True, null=True, verbose_name='shipped at')),
                ('pii_state', models.CharField(choices=[('none', 'none received'), ('present', 'present'), ('redacting', 'being erased'), ('redacted', 'erased')], default='none', max_length=10, verbose_name='personal data')),
                ('redaction_due_at', models.DateTimeField(blank=True, null=True, verbose_name='personal data until')),
                ('redaction_rule', models.CharField(blank=True, max_length=20, verbose_name='rule that sets it')),
                ('redacted_at', models.DateTimeField(blank=True, null=True, verbose_name='erased at')),
                ('redaction_reason', models.CharField(blank=True, max_length=20, verbose_name='erased because')),
                ('redaction_error', models.CharField(blank=True, max_length=60, verbose_name='erasure failed with')),
                ('assigned_to', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='assigned to')),
                ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='stores.store', verbose_name='store')),
            ],
            options={
                'verbose_name': 'order',
                'verbose_name_plural': 'orders',
                'ordering': ['-ordered_at', '-pk'],
                'permissions': [('view_personal_data', 'Can see names and addresses of orders'), ('view_personal_data_of_open_orders', 'Can see names and addresses of open orders')],
            },
        ),
        migrations.CreateModel(
            name='OrderEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=orderhub.clock.now, verbose_name='at')),
                ('kind', models.CharField(choices=[('imported', 'Imported from %(source)s, status %(status)s'), ('status', 'Status changed from %(before)s to %(after)s'), ('shipped_elsewhere', 'Shipped outside OrderHub, as Amazon reports'), ('cancelled_after_shipping', 'ALERT: cancelled at Amazon after it was shipped'), ('cancel_requested', 'The buyer asks to cancel this order'), ('cancel_decided', 'Cancellation request answered'), ('held', 'Put on hold'), ('released', 'Released from hold'), ('due', 'Personal data is kept until %(due)s UTC'), ('shipment', 'Shipped with %(carrier)s, tracking number %(tracking)s'), ('notice', 'Notice to %(channel)s: %(state)s'), ('redacted', 'Personal data erased'), ('blocked', 'Personal data from Amazon ignored: already erased here')], max_length=30, verbose_name='kind')),
                ('params', models.JSONField(blank=True, default=dict, verbose_name='details')),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='orders.order', verbose_name='order')),
            ],
            options={
                'verbose_name': 'event',
                'verbose_name_plural': 'events',
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='OrderItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amazon_item_id', models.CharField(max_length=60, verbose_name='Amazon item id')),
                ('sku', models.CharField(blank=True, max_length=120, verbose_name='SKU')),
                ('asin', models.CharField(blank=True, max_length=20, verbose_name='ASIN')),
                ('title', models.CharField(blank=True, max_length=500, verbose_name='title')),
                ('quantity', models.PositiveIntegerField(verbose_name='quantity')),
                ('quantity_shipped', models.PositiveIntegerField(default=0, verbose_name='shipped')),
                ('unit_price', models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='unit price')),
                ('tax', models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='tax')),
                ('discount', models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='discount')),
                ('shipping', models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='shipping')),
                ('gift_wrap', models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='gift wrap')),
                ('is_physical', models.BooleanField(default=True, verbose_name='physical')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='orders.order', verbose_name='order')),
            ],
            options={
                'verbose_name': 'order line',
                'verbose_name_plural': 'order lines',
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='QuarantinedOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('order_number', models.CharField(max_length=60, verbose_name='order number')),
                ('code', models.CharField(max_length=60, verbose_name='error')),
                ('path', models.CharField(blank=True, max_length=120, verbose_name='where')),
                ('times', models.PositiveIntegerField(default=1, verbose_name='times seen')),
                ('seen_at', models.DateTimeField(default=orderhub.clock.now, verbose_name='seen at')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='quarantined', to='stores.amazonaccount', verbose_name='account')),
            ],
            options={
                'verbose_name': 'quarantined order',
                'verbose_name_plural': 'quarantined orders',
                'ordering': ['-seen_at'],
            },
        ),
        migrations.CreateModel(
            name='SkippedOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('order_number', models.CharField(max_length=60, verbose_name='order number')),
                ('reason', models.CharField(choices=[('afn_off', 'Fulfilled by Amazon, and this store does not import such orders'), ('afn_not_shipped', 'Fulfilled by Amazon and not shipped yet'), ('not_physical', 'No physical product in it'), ('inactive', 'The store is not active')], max_length=20, verbose_name='reason')),
                ('amazon_status', models.CharField(blank=True, max_length=40, verbose_name='status at Amazon')),
                ('seen_at', models.DateTimeField(default=orderhub.clock.now, verbose_name='seen at')),
                ('store', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='skipped', to='stores.store', verbose_name='store')),
            ],
            options={
                'verbose_name': 'skipped order',
                'verbose_name_plural': 'skipped orders',
                'ordering': ['-seen_at'],
            },
        ),
        migrations.CreateModel(
            name='OrderPersonalData',
            fields=[
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='person', serialize=False, to='orders.order', verbose_name='order')),
                ('marker', models.CharField(blank=True, default='', max_length=20, verbose_name='erased with')),
                ('buyer_name', models.CharField(blank=True, default='', max_length=500, verbose_name='buyer')),
                ('buyer_username', models.CharField(blank=True, default='', max_length=500, verbose_name='user name')),
                ('buyer_email', models.CharField(blank=True, default='', max_length=500, verbose_name='e-mail')),
                ('buyer_company', models.CharField(blank=True, default='', max_length=500, verbose_name="buyer's company")),
                ('purchase_order_number', models.CharField(blank=True, default='', max_length=500, verbose_name='purchase order number')),
                ('recipient_name', models.CharField(blank=True, default='', max_length=500, verbose_name='recipient')),
                ('recipient_company', models.CharField(blank=True, default='', max_length=500, verbose_name='company')),
                ('street1', models.CharField(blank=True, default='', max_length=500, verbose_name='street')),
                ('street2', models.CharField(blank=True, default='', max_length=500, verbose_name='street (2)')),
                ('street3', models.CharField(blank=True, default='', max_length=500, verbose_name='street (3)')),
                ('phone', models.CharField(blank=True, default='', max_length=500, verbose_name='phone')),
                ('gift_message', models.TextField(blank=True, default='', verbose_name='gift message')),
                ('buyer_notes', models.TextField(blank=True, default='', verbose_name='note from the buyer')),
                ('delivery_instructions', models.TextField(blank=True, default='', verbose_name='delivery instructions')),
                ('romanised_name', models.CharField(blank=True, default='', max_length=500, verbose_name='recipient (Roman letters)')),
                ('romanised_company', models.CharField(blank=True, default='', max_length=500, verbose_name='company (Roman letters)')),
                ('romanised_street1', models.CharField(blank=True, default='', max_length=500, verbose_name='street (Roman letters)')),
                ('romanised_street2', models.CharField(blank=True, default='', max_length=500, verbose_name='street 2 (Roman letters)')),
                ('romanised_street3', models.CharField(blank=True, default='', max_length=500, verbose_name='street 3 (Roman letters)')),
                ('city', models.CharField(blank=True, default='', max_length=500, verbose_name='city')),
                ('district', models.CharField(blank=True, default='', max_length=500, verbose_name='district')),
                ('state', models.CharField(blank=True, default='', max_length=500, verbose_name='state')),
                ('postal_code', models.CharField(blank=True, default='', max_length=500, verbose_name='postal code')),
                ('country', models.CharField(blank=True, default='', max_length=60, verbose_name='country')),
            ],
            options={
                'verbose_name': 'personal data',
                'verbose_name_plural': 'personal data',
                'constraints': [models.CheckConstraint(condition=models.Q(('marker__in', ['', 'EXPURGÉ (Amazon)', 'EXPURGÉ (RGPD)'])), name='person_marker_is_known'), models.CheckConstraint(condition=models.Q(('marker', ''), ('buyer_name', ''), ('buyer_name', models.F('marker')), _connector='OR'), name='person_latch_buyer_name'), models.CheckConstraint(condition=models.Q(('marker', ''), ('buyer_username', ''), ('buyer_username', models.F('marker')), _connector='OR'), name='person_latch_buyer_username'), models.CheckConstraint(condition=models.Q(('marker', ''), ('buyer_company', ''), ('buyer_company', models.F('marker')), _connector='OR'), name='person_latch_buyer_company'), models.CheckConstraint(condition=models.Q(('marker', ''), ('purchase_order_number', ''), ('purchase_order_number', models.F('marker')), _connector='OR'), name='person_latch_purchase_order_number'), models.CheckConstraint(condition=models.Q(('marker', ''), ('recipient_name', ''), ('recipient_name', models.F('marker')), _connector='OR'), name='person_latch_recipient_name'), models.CheckConstraint(condition=models.Q(('marker', ''), ('recipient_company', ''), ('recipient_company', models.F('marker')), _connector='OR'), name='person_latch_recipient_company'), models.CheckConstraint(condition=models.Q(('marker', ''), ('street1', ''), ('street1', models.F('marker')), _connector='OR'), name='person_latch_street1'), models.CheckConstraint(condition=models.Q(('marker', ''), ('street2', ''), ('street2', models.F('marker')), _connector='OR'), name='person_latch_street2'), models.CheckConstraint(condition=models.Q(('marker', ''), ('street3', ''), ('street3', models.F('marker')), _connector='OR'), name='person_latch_street3'), models.CheckConstraint(condition=models.Q(('marker', ''), ('phone', ''), ('phone', models.F('marker')), _connector='OR'), name='person_latch_phone'), models.CheckConstraint(condition=models.Q(('marker', ''), ('gift_message', ''), ('gift_message', models.F('marker')), _connector='OR'), name='person_latch_gift_message'), models.CheckConstraint(condition=models.Q(('marker', ''), ('buyer_notes', ''), ('buyer_notes', models.F('marker')), _connector='OR'), name='person_latch_buyer_notes'), models.CheckConstraint(condition=models.Q(('marker', ''), ('delivery_instructions', ''), ('delivery_instructions', models.F('marker')), _connector='OR'), name='person_latch_delivery_instructions'), models.CheckConstraint(condition=models.Q(('marker', ''), ('romanised_name', ''), ('romanised_name', models.F('marker')), _connector='OR'), name='person_latch_romanised_name'), models.CheckConstraint(condition=models.Q(('marker', ''), ('romanised_company', ''), ('romanised_company', models.F('marker')), _connector='OR'), name='person_latch_romanised_company'), models.CheckConstraint(condition=models.Q(('marker', ''), ('romanised_street1', ''), ('romanised_street1', models.F('marker')), _connector='OR'), name='person_latch_romanised_street1'), models.CheckConstraint(condition=models.Q(('marker', ''), ('romanised_street2', ''), ('romanised_street2', models.F('marker')), _connector='OR'), name='person_latch_romanised_street2'), models.CheckConstraint(condition=models.Q(('marker', ''), ('romanised_street3', ''), ('romanised_street3', models.F('marker')), _connector='OR'), name='person_latch_romanised_street3'), models.CheckConstraint(condition=models.Q(('marker', ''), ('buyer_email', ''), ('buyer_email', models.F('marker')), ('buyer_email__icontains', '@marketplace.amazon.'), _connector='OR'), name='person_latch_buyer_email')],
            },
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['status', 'ship_by'], name='order_status_ship_by'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['store', '-ordered_at'], name='order_store_ordered'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('pii_state', 'redacted'), _negated=True), fields=['redaction_due_at'], name='order_due'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['order_number'], name='order_number'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(fields=('store', 'order_number'), name='order_once_per_store'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['awaiting_payment', 'awaiting_shipment', 'pending_fulfillment', 'on_hold', 'shipped', 'cancelled'])), name='order_status_known'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('fulfilled_by__in', ['MFN', 'AFN'])), name='order_fulfilled_by_known'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('pii_state__in', ['none', 'present', 'redacting', 'redacted'])), name='order_pii_state_known'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('fulfilled_by', 'AFN'), _negated=True), ('status', 'shipped'), _connector='OR'), name='order_by_amazon_is_shipped'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('fulfilled_by', 'AFN'), _negated=True), models.Q(('pii_state', 'none'), ('redaction_due_at__isnull', True)), _connector='OR'), name='order_by_amazon_has_no_person'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('pii_state', 'redacted'), ('redacted_at__isnull', False)), models.Q(models.Q(('pii_state', 'redacted'), _negated=True), ('redacted_at__isnull', True)), _connector='OR'), name='order_redacted_has_instant'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('fulfilled_by', 'AFN'), models.Q(('origin_marketplace', 'amazon'), _negated=True), ('redaction_due_at__isnull', False), _connector='OR'), name='order_amazon_has_due_date'),
        ),
        migrations.AddIndex(
            model_name='orderitem',
            index=models.Index(fields=['sku'], name='item_sku'),
        ),
        migrations.AddIndex(
            model_name='orderitem',
            index=models.Index(fields=['asin'], name='item_asin'),
        ),
        migrations.AddConstraint(
            model_name='orderitem',
            constraint=models.UniqueConstraint(fields=('order', 'amazon_item_id'), name='item_once_per_order'),
        ),
        migrations.AddConstraint(
            model_name='orderitem',
            constraint=models.CheckConstraint(condition=models.Q(('quantity_shipped__lte', models.F('quantity'))), name='item_not_shipped_twice'),
        ),
        migrations.AddConstraint(
            model_name='quarantinedorder',
            constraint=models.UniqueConstraint(fields=('account', 'order_number'), name='quarantined_once'),
        ),
        migrations.AddConstraint(
            model_name='quarantinedorder',
            constraint=models.CheckConstraint(condition=models.Q(('times__gte', 1)), name='quarantined_at_least_once'),
        ),
        migrations.AddConstraint(
            model_name='skippedorder',
            constraint=models.UniqueConstraint(fields=('store', 'order_number'), name='skipped_once'),
        ),
        migrations.RunPython(keep_none, migrations.RunPython.noop),
    ]
