// npm `node-shipstation` 0.1.3. The host is a constant nobody can reach, so `request`, which it sends with, is given
// another one before the client asks for it.
const { BASE_URL, API_KEY, API_SECRET, given, packages, step } = require('./steps.cjs');

const request = packages('request');
const { defaults } = request;
request.defaults = (options) =>
  defaults.call(request, options, (call, done) =>
    request({ ...call, url: call.url.replace('https://ssapi.shipstation.com', BASE_URL) }, done)
  );

const client = packages('node-shipstation')(API_KEY, API_SECRET);

const answered = (start) =>
  new Promise((resolve, reject) => {
    start((error, answer, body) => {
      if (error) reject(error);
      else if (answer.statusCode >= 400) reject(new Error(`${answer.statusCode} ${JSON.stringify(body)}`));
      else resolve(body);
    });
  });
const call = (method, ...wish) => answered((done) => client[method](...wish, done));

(async () => {
  await step('stores', () => call('getStores', { showInactive: true }));
  const store = await step('store', () => call('getStore', given.manual));
  await step('marketplaces', () => call('getMarketplaces'));
  await step('refresh', () => call('refreshStore', given.amazon));
  await step('refresh status', () => call('getStoreRefreshStatus', given.amazon));
  await step('update store', () => answered((done) => client.store(given.manual).update({ ...store, storeName: 'Web shop' }, done)));
  await step('deactivate', () => call('deactivateStore', given.manual));
  await step('reactivate', () => call('reactivateStore', given.manual));

  await step('list', () => call('getOrders', { orderStatus: 'awaiting_shipment', pageSize: 100 }));
  await step('get', () => call('getOrder', given.order));
  const created = await step('create', () => call('addOrder', given.body));
  const order = client.order(created.orderId);
  await step('update', () => answered((done) => order.update({ items: [{ quantity: 3 }], shipTo: { street1: '5 rue des Lilas' } }, done)));
  await step('tag', () => answered((done) => client.order(given.order).addTag(given.tag, done)));
  await step('by tag', () => call('getOrdersByTag', { orderStatus: 'awaiting_shipment', tagId: given.tag }));
  await step('untag', () => answered((done) => client.order(given.order).removeTag(given.tag, done)));
  await step('tags', () => call('getTags'));
  await step('hold', () => answered((done) => order.hold(given.hold_until, done)));
  await step('held', () => answered((done) => order.get(done)));
  await step('restore', () => answered((done) => client.post('/orders/restorefromhold', { orderId: created.orderId }, done)));
  await step('delete', () => answered((done) => order.delete(done)));

  await step('ship', () => answered((done) => client.order(given.order).shipped({ ...given.parcel }, done)));
  const label = await step('label', () => answered((done) => client.order(given.second).label({ ...given.label }, done)));
  await step('shipments', () => call('getShipments', { orderId: given.second, includeShipmentItems: true }));
  await step('void', () => call('voidShippingLabel', label.shipmentId));
  await step('fulfillments', () => answered((done) => client.get('/fulfillments', { orderId: given.order }, done)));

  const hook = await step('subscribe', () => answered((done) => client.post('/webhooks/subscribe', given.webhook, done)));
  await step('webhooks', () => answered((done) => client.get('/webhooks', {}, done)));
  await step('unsubscribe', () => answered((done) => client.del(`/webhooks/${hook.id}`, {}, done)));

  await step('carriers', () => call('getCarriers'));
  await step('carrier', () => call('getCarrier', 'ups'));
  await step('services', () => call('getServices', 'ups'));
  await step('warehouses', () => call('getWarehouses'));
  await step('customers', () => call('getCustomers', { countryCode: 'US' }));
  await step('customer', () => call('getCustomer', given.customer));
  await step('products', () => call('getProducts', { sku: 'MUG-1' }));
  await step('product', () => call('getProduct', given.product));
  process.exit(0);
})();
