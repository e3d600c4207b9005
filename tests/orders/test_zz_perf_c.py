import time, pytest
from datetime import timedelta
from orders.models import *
from orders import rehearsing, ruling
from orders.vocabulary import Vocabulary
from tests.factories import *
from tests.orders.test_rules import make_rule, about, ALWAYS
@pytest.mark.django_db
def test_it(noon):
    st=make_store()
    os=[Order(store=st,order_number=f"x{i}",status="awaiting_shipment",fulfilled_by="MFN",ordered_at=noon,currency="USD",order_total="19.9",redaction_due_at=noon+timedelta(days=9),first_imported_at=noon) for i in range(5000)]
    Order.objects.bulk_create(os)
    OrderPersonalData.objects.bulk_create(OrderPersonalData(order=o,city="Paris",country="FR") for o in os)
    OrderItem.objects.bulk_create(OrderItem(order=o,amazon_item_id="1",sku="A",title="Thing",quantity=2) for o in os)
    r=make_rule(about("city","is","paris"),("hold","check"))
    t=time.process_time(); f=rehearsing.rehearse(r,Vocabulary(),now=noon); print("\ntrial 5000", time.process_time()-t, f.matched, len(f.rows), f.cut)
    for i in range(19): make_rule(about("country","is","JP"),("alert","x"))
    subs=ruling.subjects(Order.objects.select_related("store"))
    ru=ruling.Ruler([st]); t=time.process_time(); o=ru.run(subs,now=noon); d=time.process_time()-t
    print("run 5000 x 20 rules", d, d/5000*1e6,"us/order", d/5000/20*1e6)
