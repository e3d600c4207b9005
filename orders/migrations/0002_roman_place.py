"""City and state in Roman characters, no statistics of them either (see 0001), and the right to put orders on hold."""

from django.db import migrations, models


TABLE = "orders_orderpersonaldata"
COLUMNS = ("romanised_city", "romanised_state")


def keep_none(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    quote = schema_editor.connection.ops.quote_name
    changes = ", ".join(f"ALTER COLUMN {quote(column)} SET STATISTICS 0" for column in COLUMNS)
    schema_editor.execute(f"ALTER TABLE {quote(TABLE)} {changes}")


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0001_initial'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='order',
            options={'ordering': ['-ordered_at', '-pk'], 'permissions': [('hold_order', 'Can put orders on hold and release them'), ('view_personal_data', 'Can see names and addresses of orders'), ('view_personal_data_of_open_orders', 'Can see names and addresses of open orders')], 'verbose_name': 'order', 'verbose_name_plural': 'orders'},
        ),
        migrations.AddField(
            model_name='orderpersonaldata',
            name='romanised_city',
            field=models.CharField(blank=True, default='', max_length=500, verbose_name='city (Roman letters)'),
        ),
        migrations.AddField(
            model_name='orderpersonaldata',
            name='romanised_state',
            field=models.CharField(blank=True, default='', max_length=500, verbose_name='state (Roman letters)'),
        ),
        migrations.AlterField(
            model_name='orderevent',
            name='kind',
            field=models.CharField(choices=[('imported', 'Imported from %(source)s, status %(status)s'), ('status', 'Status changed from %(before)s to %(after)s'), ('shipped_elsewhere', 'Shipped outside OrderHub, as Amazon reports'), ('cancelled_after_shipping', 'ALERT: cancelled at Amazon after it was shipped'), ('cancel_requested', 'The buyer asks to cancel this order'), ('cancel_decided', 'Cancellation request answered'), ('held', 'Put on hold'), ('released', 'Released from hold'), ('romanised', 'Address written in Roman characters'), ('roman_dropped', 'Amazon changed the address: it must be written in Roman characters anew'), ('due', 'Personal data is kept until %(due)s UTC'), ('shipment', 'Shipped with %(carrier)s, tracking number %(tracking)s'), ('notice', 'Notice to %(channel)s: %(state)s'), ('redacted', 'Personal data erased'), ('blocked', 'Personal data from Amazon ignored: already erased here')], max_length=30, verbose_name='kind'),
        ),
        migrations.AddConstraint(
            model_name='orderpersonaldata',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('romanised_city', ''), ('romanised_city', models.F('marker')), _connector='OR'), name='person_latch_romanised_city'),
        ),
        migrations.AddConstraint(
            model_name='orderpersonaldata',
            constraint=models.CheckConstraint(condition=models.Q(('marker', ''), ('romanised_state', ''), ('romanised_state', models.F('marker')), _connector='OR'), name='person_latch_romanised_state'),
        ),
        migrations.RunPython(keep_none, migrations.RunPython.noop),
    ]
