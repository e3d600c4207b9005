"""Products, customers, notes, rules, customisation, and every field Amazon sends of an order and its lines."""

import django.db.models.deletion
import django.db.models.functions.text
import orderhub.clock
import orders.models.product
from django.conf import settings
from django.db import migrations, models


COLUMNS = {
    "orders_orderpersonaldata": ("custom_field_1", "custom_field_2", "custom_field_3"),
    "orders_itempersonaldata": ("customized_url", "customization", "images"),
    "orders_customer": ("match_key", "name", "email", "phone", "user_name"),
    "orders_ordernote": ("text",),
}


def keep_none(apps, schema_editor):
    """No statistics of people: see 0001."""
    if schema_editor.connection.vendor != "postgresql":
        return
    quote = schema_editor.connection.ops.quote_name
    for table, columns in COLUMNS.items():
        changes = ", ".join(f"ALTER COLUMN {quote(column)} SET STATISTICS 0" for column in columns)
        schema_editor.execute(f"ALTER TABLE {quote(table)} {changes}")


def rules_are_for_later_orders(apps, schema_editor):
    """Rules run when an order comes in: those that are here already had their moment before there were any."""
    order = apps.get_model("orders", "Order")
    order.objects.filter(status__in=["awaiting_shipment", "on_hold"]).update(rules_ran_at=models.F("first_imported_at"))


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0003_decided_status'),
        ('stores', '0003_short_stock'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AutomationRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('position', models.PositiveIntegerField(default=0, verbose_name='position')),
                ('active', models.BooleanField(default=False, verbose_name='active')),
                ('criteria', models.JSONField(blank=True, default=list, verbose_name='criteria')),
                ('actions', models.JSONField(blank=True, default=list, verbose_name='actions')),
                ('stops', models.BooleanField(default=False, verbose_name='no further rule after this one')),
                ('broken_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last failed at')),
                ('broken_code', models.CharField(blank=True, editable=False, max_length=60, verbose_name='failed with')),
                ('changed_at', models.DateTimeField(default=orderhub.clock.now, editable=False, verbose_name='changed at')),
            ],
            options={
                'verbose_name': 'automation rule',
                'verbose_name_plural': 'automation rules',
                'ordering': ['position', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='CatalogueItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weight_g', models.PositiveIntegerField(blank=True, null=True, verbose_name='weight in grams')),
                ('length_mm', models.PositiveIntegerField(blank=True, null=True, verbose_name='length in mm')),
                ('width_mm', models.PositiveIntegerField(blank=True, null=True, verbose_name='width in mm')),
                ('height_mm', models.PositiveIntegerField(blank=True, null=True, verbose_name='height in mm')),
                ('marketplace', models.CharField(choices=[('US', 'Amazon.com'), ('CA', 'Amazon.ca'), ('MX', 'Amazon.com.mx'), ('BR', 'Amazon.com.br'), ('UK', 'Amazon.co.uk'), ('DE', 'Amazon.de'), ('FR', 'Amazon.fr'), ('IT', 'Amazon.it'), ('ES', 'Amazon.es'), ('NL', 'Amazon.nl'), ('SE', 'Amazon.se'), ('PL', 'Amazon.pl'), ('BE', 'Amazon.com.be'), ('IE', 'Amazon.ie'), ('TR', 'Amazon.com.tr'), ('AE', 'Amazon.ae'), ('SA', 'Amazon.sa'), ('EG', 'Amazon.eg'), ('IN', 'Amazon.in'), ('ZA', 'Amazon.co.za'), ('JP', 'Amazon.co.jp'), ('AU', 'Amazon.com.au'), ('SG', 'Amazon.sg')], max_length=2, verbose_name='marketplace')),
                ('asin', models.CharField(max_length=20, verbose_name='ASIN')),
                ('state', models.CharField(choices=[('waiting', 'to be looked up'), ('found', 'found'), ('missing', 'not in the catalogue')], default='waiting', max_length=8, verbose_name='state')),
                ('title', models.CharField(blank=True, max_length=500, verbose_name='title')),
                ('is_physical', models.BooleanField(blank=True, null=True, verbose_name='physical')),
                ('image_url', models.CharField(blank=True, max_length=300, verbose_name='address of the photo')),
                ('image', models.FileField(blank=True, max_length=120, storage=orders.models.product.photo_storage, upload_to='', verbose_name='photo')),
                ('image_error', models.CharField(blank=True, max_length=60, verbose_name='photo not fetched because')),
                ('looked_up_at', models.DateTimeField(blank=True, null=True, verbose_name='looked up at')),
                ('next_lookup_at', models.DateTimeField(default=orderhub.clock.now, verbose_name='next look-up at')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
            ],
            options={
                'verbose_name': 'catalogue item',
                'verbose_name_plural': 'catalogue items',
            },
        ),
        migrations.CreateModel(
            name='Customer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('marker', models.CharField(blank=True, default='', max_length=20, verbose_name='erased with')),
                ('match_key', models.CharField(blank=True, default='', editable=False, max_length=64)),
                ('name', models.CharField(blank=True, default='', max_length=500, verbose_name='name')),
                ('email', models.CharField(blank=True, default='', max_length=500, verbose_name='e-mail')),
                ('phone', models.CharField(blank=True, default='', max_length=500, verbose_name='phone')),
                ('user_name', models.CharField(blank=True, default='', max_length=500, verbose_name='user name')),
                ('email_from_amazon', models.BooleanField(default=False, editable=False)),
                ('phone_from_amazon', models.BooleanField(default=False, editable=False)),
                ('created_at', models.DateTimeField(default=orderhub.clock.now, editable=False, verbose_name='created at')),
                ('last_order_at', models.DateTimeField(blank=True, null=True, verbose_name='last order at')),
                ('redacted_at', models.DateTimeField(blank=True, null=True, verbose_name='erased at')),
            ],
            options={
                'verbose_name': 'customer',
                'verbose_name_plural': 'customers',
                'ordering': ['-last_order_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='HistoryRead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('gaps', 'search for gaps'), ('backfill', 'orders from before the connection')], max_length=10, verbose_name='kind')),
                ('marketplaces', models.JSONField(blank=True, default=list, verbose_name='marketplaces')),
                ('created_after', models.DateTimeField(verbose_name='orders made from')),
                ('created_before', models.DateTimeField(blank=True, null=True, verbose_name='orders made until')),
                ('page_token', models.TextField(blank=True, verbose_name='next page')),
                ('pages', models.PositiveIntegerField(default=0, verbose_name='pages read')),
                ('seen', models.PositiveIntegerField(default=0, verbose_name='orders seen')),
                ('missing', models.PositiveIntegerField(default=0, verbose_name='orders missing here')),
                ('late', models.PositiveIntegerField(default=0, verbose_name='orders out of date here')),
                ('started_at', models.DateTimeField(default=orderhub.clock.now, verbose_name='started at')),
                ('next_at', models.DateTimeField(default=orderhub.clock.now, verbose_name='goes on at')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished at')),
                ('error_code', models.CharField(blank=True, max_length=60, verbose_name='error')),
            ],
            options={
                'verbose_name': 'reading of past orders',
                'verbose_name_plural': 'readings of past orders',
                'ordering': ['-started_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='ItemPersonalData',
            fields=[
                ('item', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='person', serialize=False, to='orders.orderitem', verbose_name='order line')),
                ('marker', models.CharField(blank=True, default='', max_length=20, verbose_name='erased with')),
                ('customized_url', models.TextField(blank=True, default='', verbose_name='where Amazon keeps it')),
                ('customization', models.TextField(blank=True, default='', verbose_name='customisation')),
                ('images', models.JSONField(blank=True, default=list, verbose_name='pictures')),
                ('state', models.CharField(choices=[('waiting', 'to be fetched'), ('fetched', 'fetched'), ('refused', 'refused'), ('failed', 'could not be fetched')], default='waiting', max_length=10, verbose_name='state')),
                ('error_code', models.CharField(blank=True, max_length=60, verbose_name='error')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('next_attempt_at', models.DateTimeField(blank=True, null=True, verbose_name='next attempt at')),
            ],
            options={
                'verbose_name': 'customisation of a line',
                'verbose_name_plural': 'customisations of lines',
            },
        ),
        migrations.CreateModel(
            name='OrderNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=orderhub.clock.now, verbose_name='at')),
                ('text', models.TextField(verbose_name='note')),
                ('marker', models.CharField(blank=True, default='', max_length=20, verbose_name='erased with')),
            ],
            options={
                'verbose_name': 'note',
                'verbose_name_plural': 'notes',
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weight_g', models.PositiveIntegerField(blank=True, null=True, verbose_name='weight in grams')),
                ('length_mm', models.PositiveIntegerField(blank=True, null=True, verbose_name='length in mm')),
                ('width_mm', models.PositiveIntegerField(blank=True, null=True, verbose_name='width in mm')),
                ('height_mm', models.PositiveIntegerField(blank=True, null=True, verbose_name='height in mm')),
                ('key', models.CharField(max_length=120, verbose_name='product identifier')),
                ('sku', models.CharField(blank=True, max_length=120, verbose_name='SKU')),
                ('asin', models.CharField(blank=True, max_length=20, verbose_name='ASIN')),
                ('title', models.CharField(blank=True, max_length=500, verbose_name='title')),
                ('photo', models.FileField(blank=True, editable=False, max_length=120, storage=orders.models.product.photo_storage, upload_to='', verbose_name='photo')),
                ('warehouse_location', models.CharField(blank=True, max_length=60, verbose_name='storage location')),
                ('is_physical', models.BooleanField(blank=True, null=True, verbose_name='physical')),
                ('stock_on_hand', models.PositiveIntegerField(blank=True, null=True, verbose_name='counted on the shelf')),
                ('stock_confirmed_at', models.DateTimeField(blank=True, null=True, verbose_name='counted at')),
                ('sent_when_counted', models.PositiveIntegerField(default=0, verbose_name='units sent before the count')),
                ('stock_listed', models.PositiveIntegerField(blank=True, null=True, verbose_name='for sale at Amazon')),
                ('stock_fba', models.PositiveIntegerField(blank=True, null=True, verbose_name="in Amazon's warehouses")),
                ('stock_checked_at', models.DateTimeField(blank=True, null=True, verbose_name='asked Amazon at')),
                ('looked_up_at', models.DateTimeField(blank=True, null=True, verbose_name='catalogue applied at')),
                ('created_at', models.DateTimeField(default=orderhub.clock.now, editable=False, verbose_name='created at')),
            ],
            options={
                'verbose_name': 'product',
                'verbose_name_plural': 'products',
                'ordering': ['key', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='RuleFiring',
            fields=[
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='firing', serialize=False, to='orders.order', verbose_name='order')),
                ('at', models.DateTimeField(default=orderhub.clock.now, verbose_name='at')),
                ('trace', models.JSONField(default=list, verbose_name='trace')),
            ],
            options={
                'verbose_name': 'run of the rules',
                'verbose_name_plural': 'runs of the rules',
            },
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('query', models.CharField(blank=True, max_length=500, verbose_name='filters')),
                ('shared', models.BooleanField(default=False, verbose_name='for everybody')),
            ],
            options={
                'verbose_name': 'saved view',
                'verbose_name_plural': 'saved views',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40, verbose_name='name')),
                ('level', models.CharField(choices=[('muted', 'grey'), ('info', 'blue'), ('ok', 'green'), ('warn', 'yellow'), ('bad', 'red')], default='muted', max_length=8, verbose_name='colour')),
            ],
            options={
                'verbose_name': 'tag',
                'verbose_name_plural': 'tags',
                'ordering': ['name'],
            },
        ),
        migrations.AddField(
            model_name='order',
            name='address_type',
            field=models.CharField(blank=True, max_length=20, verbose_name='kind of address'),
        ),
        migrations.AddField(
            model_name='order',
            name='alert',
            field=models.CharField(blank=True, max_length=120, verbose_name='alert'),
        ),
        migrations.AddField(
            model_name='order',
            name='cod_fee_total',
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='cash on delivery fee'),
        ),
        migrations.AddField(
            model_name='order',
            name='custom_field_1',
            field=models.CharField(blank=True, max_length=120, verbose_name='custom field 1'),
        ),
        migrations.AddField(
            model_name='order',
            name='custom_field_2',
            field=models.CharField(blank=True, max_length=120, verbose_name='custom field 2'),
        ),
        migrations.AddField(
            model_name='order',
            name='custom_field_3',
            field=models.CharField(blank=True, max_length=120, verbose_name='custom field 3'),
        ),
        migrations.AddField(
            model_name='order',
            name='deliver_from',
            field=models.DateTimeField(blank=True, null=True, verbose_name='earliest delivery'),
        ),
        migrations.AddField(
            model_name='order',
            name='hold_until',
            field=models.DateTimeField(blank=True, null=True, verbose_name='on hold until'),
        ),
        migrations.AddField(
            model_name='order',
            name='other_total',
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='other charges'),
        ),
        migrations.AddField(
            model_name='order',
            name='own_status',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='stores.marketplacestatus', verbose_name='own status'),
        ),
        migrations.AddField(
            model_name='order',
            name='paid_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='paid at'),
        ),
        migrations.AddField(
            model_name='order',
            name='replaces_as',
            field=models.CharField(blank=True, choices=[('replacement', 'replacement'), ('exchange', 'exchange')], max_length=12, verbose_name='made as'),
        ),
        migrations.AddField(
            model_name='order',
            name='requested_service',
            field=models.CharField(blank=True, max_length=60, verbose_name='requested service'),
        ),
        migrations.AddField(
            model_name='order',
            name='rules_ran_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='rules ran at'),
        ),
        migrations.AddField(
            model_name='order',
            name='weight_g',
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name='weight in grams'),
        ),
        migrations.AddField(
            model_name='order',
            name='weight_is_typed',
            field=models.BooleanField(default=False, verbose_name='weight was typed in'),
        ),
        migrations.AddField(
            model_name='order',
            name='wishes',
            field=models.JSONField(blank=True, default=dict, verbose_name='what rules wish for its parcel'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='cod_fee',
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True, verbose_name='cash on delivery fee'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='condition',
            field=models.CharField(blank=True, max_length=40, verbose_name='condition'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='gift_wrap_level',
            field=models.CharField(blank=True, max_length=60, verbose_name='kind of gift wrap'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='ioss_number',
            field=models.CharField(blank=True, max_length=40, verbose_name='IOSS number'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='is_business_price',
            field=models.BooleanField(default=False, verbose_name='business price'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='is_gift',
            field=models.BooleanField(default=False, verbose_name='gift'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='options',
            field=models.JSONField(blank=True, default=list, verbose_name='options'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='promotions',
            field=models.JSONField(blank=True, default=list, verbose_name='promotions'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='requirements',
            field=models.JSONField(blank=True, default=list, verbose_name='required of the delivery'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='scheduled_from',
            field=models.DateTimeField(blank=True, null=True, verbose_name='delivery wanted from'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='scheduled_until',
            field=models.DateTimeField(blank=True, null=True, verbose_name='delivery wanted until'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='warehouse_location',
            field=models.CharField(blank=True, max_length=60, verbose_name='storage location'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='weight_g',
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name='weight of one in grams'),
        ),
        migrations.AddField(
            model_name='orderpersonaldata',
            name='custom_field_1',
            field=models.CharField(blank=True, default='', max_length=120, verbose_name='custom field 1'),
        ),
        migrations.AddField(
            model_name='orderpersonaldata',
            name='custom_field_2',
            field=models.CharField(blank=True, default='', max_length=120, verbose_name='custom field 2'),
        ),
        migrations.AddField(
            model_name='orderpersonaldata',
            name='custom_field_3',
            field=models.CharField(blank=True, default='', max_length=120, verbose_name='custom field 3'),
        ),
        migrations.AlterField(
            model_name='orderevent',
            name='kind',
            field=models.CharField(choices=[('imported', 'Imported from %(source)s, status %(status)s'), ('status', 'Status changed from %(before)s to %(after)s'), ('shipped_elsewhere', 'Shipped outside OrderHub, as Amazon reports'), ('cancelled_after_shipping', 'ALERT: cancelled at Amazon after it was shipped'), ('cancel_requested', 'The buyer asks to cancel this order'), ('cancel_decided', 'Cancellation request answered'), ('held', 'Put on hold'), ('released', 'Released from hold'), ('romanised', 'Address written in Roman characters'), ('roman_dropped', 'Amazon changed the address: it must be written in Roman characters anew'), ('due', 'Personal data is kept until %(due)s UTC'), ('shipment', 'Shipped with %(carrier)s, tracking number %(tracking)s'), ('notice', 'Notice to %(channel)s: %(state)s'), ('redacted', 'Personal data erased'), ('noted', 'Note added'), ('tagged', 'Tags: %(tags)s'), ('assigned', 'Assigned to %(user)s'), ('own_status', 'Own status: %(own)s'), ('weighed', 'Weight set to %(weight)s g'), ('rules', 'Rules applied: %(rules)s'), ('alert', 'ALERT from the rules'), ('alert_seen', 'Alert dealt with'), ('fetched', 'Fetched from Amazon on request'), ('gap_closed', 'Found missing by the daily check, and brought up to date'), ('customization', 'Customisation: %(outcome)s'), ('entered', 'Entered by hand, status %(status)s'), ('from_file', 'Imported from a file, status %(status)s'), ('merged', 'Customer records joined'), ('not_physical', "Amazon's catalogue says nothing in it is physical"), ('blocked', 'Personal data from Amazon ignored: already erased here')], max_length=30, verbose_name='kind'),
        ),
        migrations.AddConstraint(
            model_name='orderpersonaldata',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('custom_field_1', ''), ('custom_field_1', models.F('marker')), _connector='OR'), name='person_latch_custom_field_1'),
        ),
        migrations.AddConstraint(
            model_name='orderpersonaldata',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('custom_field_2', ''), ('custom_field_2', models.F('marker')), _connector='OR'), name='person_latch_custom_field_2'),
        ),
        migrations.AddConstraint(
            model_name='orderpersonaldata',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('custom_field_3', ''), ('custom_field_3', models.F('marker')), _connector='OR'), name='person_latch_custom_field_3'),
        ),
        migrations.AddField(
            model_name='automationrule',
            name='changed_by',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='changed by'),
        ),
        migrations.AddIndex(
            model_name='catalogueitem',
            index=models.Index(fields=['next_lookup_at'], name='catalogue_item_due'),
        ),
        migrations.AddConstraint(
            model_name='catalogueitem',
            constraint=models.UniqueConstraint(fields=('marketplace', 'asin'), name='catalogue_item_once'),
        ),
        migrations.AddConstraint(
            model_name='catalogueitem',
            constraint=models.CheckConstraint(condition=models.Q(('asin', ''), _negated=True), name='catalogue_item_has_asin'),
        ),
        migrations.AddConstraint(
            model_name='catalogueitem',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'found', 'missing'])), name='catalogue_item_state_known'),
        ),
        migrations.AddField(
            model_name='customer',
            name='account',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='stores.amazonaccount', verbose_name='Amazon account'),
        ),
        migrations.AddField(
            model_name='customer',
            name='merchant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='customers', to='stores.merchant', verbose_name='merchant'),
        ),
        migrations.AddField(
            model_name='order',
            name='customer',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='orders', to='orders.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='historyread',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='history_reads', to='stores.amazonaccount', verbose_name='account'),
        ),
        migrations.AddIndex(
            model_name='itempersonaldata',
            index=models.Index(condition=models.Q(('marker', ''), ('state', 'waiting')), fields=['next_attempt_at'], name='item_person_due'),
        ),
        migrations.AddConstraint(
            model_name='itempersonaldata',
            constraint=models.CheckConstraint(condition=models.Q(('marker__in', ['', 'EXPURGÉ (Amazon)', 'EXPURGÉ (RGPD)'])), name='item_person_marker_is_known'),
        ),
        migrations.AddConstraint(
            model_name='itempersonaldata',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'fetched', 'refused', 'failed'])), name='item_person_state_known'),
        ),
        migrations.AddConstraint(
            model_name='itempersonaldata',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('customized_url', ''), ('customized_url', models.F('marker')), _connector='OR'), name='item_person_latch_customized_url'),
        ),
        migrations.AddConstraint(
            model_name='itempersonaldata',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('customization', ''), ('customization', models.F('marker')), _connector='OR'), name='item_person_latch_customization'),
        ),
        migrations.AddConstraint(
            model_name='itempersonaldata',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('images', []), _connector='OR'), name='item_person_latch_images'),
        ),
        migrations.AddField(
            model_name='ordernote',
            name='author',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='author'),
        ),
        migrations.AddField(
            model_name='ordernote',
            name='order',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='orders.order', verbose_name='order'),
        ),
        migrations.AddField(
            model_name='product',
            name='stock_confirmed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='counted by'),
        ),
        migrations.AddField(
            model_name='product',
            name='store',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='products', to='stores.store', verbose_name='store'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='product',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='items', to='orders.product', verbose_name='product'),
        ),
        migrations.AddField(
            model_name='savedview',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to=settings.AUTH_USER_MODEL, verbose_name='owner'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('name'), name='tag_name_once', violation_error_message='A tag of this name exists already.'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='tag_has_name'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.CheckConstraint(condition=models.Q(('level__in', ['muted', 'info', 'ok', 'warn', 'bad'])), name='tag_level_known'),
        ),
        migrations.AddField(
            model_name='order',
            name='tags',
            field=models.ManyToManyField(blank=True, related_name='orders', to='orders.tag', verbose_name='tags'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('hold_until__isnull', False)), fields=['hold_until'], name='order_hold_ends'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('alert', ''), _negated=True), fields=['alert'], name='order_alert'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('custom_field_1', ''), _negated=True), fields=['custom_field_1'], name='order_custom_field_1'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('custom_field_2', ''), _negated=True), fields=['custom_field_2'], name='order_custom_field_2'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('custom_field_3', ''), _negated=True), fields=['custom_field_3'], name='order_custom_field_3'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('hold_until__isnull', True), ('status', 'on_hold'), _connector='OR'), name='order_hold_until_is_held'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('replaces_as', ''), ('replaces_as__in', ['replacement', 'exchange']), _connector='OR'), name='order_replaces_as_known'),
        ),
        migrations.AddConstraint(
            model_name='automationrule',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='rule_has_name'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.UniqueConstraint(condition=models.Q(('match_key', ''), _negated=True), fields=('merchant', 'match_key'), name='customer_once_per_address'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('marker__in', ['', 'EXPURGÉ (Amazon)', 'EXPURGÉ (RGPD)'])), name='customer_marker_is_known'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('marker', ''), ('redacted_at__isnull', True)), models.Q(models.Q(('marker', ''), _negated=True), ('redacted_at__isnull', False)), _connector='OR'), name='customer_redacted_has_instant'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('match_key', ''), _connector='OR'), name='customer_latch_match_key'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('name', ''), ('name', models.F('marker')), _connector='OR'), name='customer_latch_name'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('phone', ''), ('phone', models.F('marker')), _connector='OR'), name='customer_latch_phone'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('user_name', ''), ('user_name', models.F('marker')), _connector='OR'), name='customer_latch_user_name'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('email', ''), ('email', models.F('marker')), ('email__icontains', '@marketplace.amazon.'), _connector='OR'), name='customer_latch_email'),
        ),
        migrations.AddConstraint(
            model_name='historyread',
            constraint=models.UniqueConstraint(condition=models.Q(('finished_at__isnull', True)), fields=('account', 'kind'), name='history_read_one_open'),
        ),
        migrations.AddConstraint(
            model_name='historyread',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['gaps', 'backfill'])), name='history_read_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='ordernote',
            constraint=models.CheckConstraint(condition=models.Q(('marker__in', ['', 'EXPURGÉ (Amazon)', 'EXPURGÉ (RGPD)'])), name='note_marker_is_known'),
        ),
        migrations.AddConstraint(
            model_name='ordernote',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('text', models.F('marker')), _connector='OR'), name='note_latch_text'),
        ),
        migrations.AddConstraint(
            model_name='ordernote',
            constraint=models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='note_is_not_empty'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['sku'], name='product_sku'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['asin'], name='product_asin'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.UniqueConstraint(fields=('store', 'key'), name='product_once_per_store'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('key', ''), _negated=True), name='product_has_key'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('stock_on_hand__isnull', True), ('stock_confirmed_at__isnull', False), _connector='OR'), name='product_count_has_instant'),
        ),
        migrations.AddConstraint(
            model_name='savedview',
            constraint=models.UniqueConstraint(models.F('owner'), django.db.models.functions.text.Lower('name'), name='saved_view_once'),
        ),
        migrations.AddConstraint(
            model_name='savedview',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='saved_view_has_name'),
        ),
        migrations.AlterModelOptions(
            name='customer',
            options={'ordering': ['-last_order_at', '-pk'], 'permissions': [('merge_customer', 'Can join customer records')], 'verbose_name': 'customer', 'verbose_name_plural': 'customers'},
        ),
        migrations.AlterModelOptions(
            name='order',
            options={'ordering': ['-ordered_at', '-pk'], 'permissions': [('hold_order', 'Can put orders on hold and release them'), ('fetch_order', 'Can fetch one order from Amazon now'), ('export_order', 'Can export orders without personal data'), ('view_personal_data', 'Can see names and addresses of orders'), ('view_personal_data_of_open_orders', 'Can see names and addresses of open orders')], 'verbose_name': 'order', 'verbose_name_plural': 'orders'},
        ),
        migrations.AlterModelOptions(
            name='product',
            options={'ordering': ['key', 'pk'], 'permissions': [('confirm_stock', 'Can say how many are on the shelf')], 'verbose_name': 'product', 'verbose_name_plural': 'products'},
        ),
        migrations.RunPython(rules_are_for_later_orders, migrations.RunPython.noop),
        migrations.RunPython(keep_none, migrations.RunPython.noop),
    ]
