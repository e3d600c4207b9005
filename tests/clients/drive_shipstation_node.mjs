// npm `shipstation-node` 1.5.6. Where OrderHub is: `v1.baseURL`, after the client is made (TypeScript: `as any`).
// It allows itself 40 calls a minute: this script makes fewer.
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
import steps from './steps.cjs';

const { BASE_URL, API_KEY, API_SECRET, given, packages, step } = steps;
register('./loader.mjs', import.meta.url);
const { default: ShipStation } = await import(pathToFileURL(packages.resolve('shipstation-node')));

const { v1 } = new ShipStation({ credentials: { v1: { apiKey: API_KEY, apiSecret: API_SECRET, partnerKey: 'partner' } } });
v1.baseURL = BASE_URL;

await step('stores', () => v1.stores.list({ showInactive: true }));
const store = await step('store', () => v1.stores.get(given.manual));
await step('marketplaces', () => v1.stores.listMarketplaces());
await step('refresh', () => v1.stores.refresh({ storeId: given.amazon }));
await step('refresh status', () => v1.stores.getRefreshRate(given.amazon));
await step('update store', () => v1.stores.update(given.manual, { ...store, storeName: 'Web shop' }));
await step('deactivate', () => v1.stores.deactivate(given.manual));
await step('reactivate', () => v1.stores.reactivate(given.manual));

await step('list', () => v1.orders.list({ orderStatus: 'awaiting_shipment', sortBy: 'ModifyDate', pageSize: 100 }));
await step('get', () => v1.orders.get(given.order));
const created = await step('create', () => v1.orders.createOrUpdate(given.body));
const items = [{ ...created.items[0], quantity: 3 }];
await step('update', () => v1.orders.createOrUpdate({ ...created, items }));
await step('create many', () =>
  v1.orders.createOrUpdateMultiple([
    { ...given.body, orderKey: 'node-2', orderNumber: 'NODE-2' },
    { ...given.body, orderKey: 'node-3', orderNumber: 'NODE-3', orderStatus: 'lost' }
  ])
);
await step('tag', () => v1.orders.addTag(given.order, given.tag));
await step('by tag', () => v1.orders.listByTag({ orderStatus: 'awaiting_shipment', tagId: given.tag }));
await step('untag', () => v1.orders.removeTag(given.order, given.tag));
await step('tags', () => v1.accounts.listTags());
await step('hold', () => v1.orders.hold(created.orderId, given.hold_until));
await step('held', () => v1.orders.get(created.orderId));
await step('restore', () => v1.orders.restoreFromHold(created.orderId));
const users = await step('users', () => v1.users.list({ showInactive: false }));
await step('assign', () => v1.orders.assignUser([created.orderId], users[0].userId));
await step('unassign', () => v1.orders.unassignUser([created.orderId]));
await step('delete', () => v1.orders.delete(created.orderId));

await step('ship', () => v1.orders.markShipped({ ...given.parcel, orderId: given.order }));
await step('fulfillments', () => v1.fulfillments.list({ orderId: given.order }));
const label = await step('label', () => v1.orders.createLabel({ ...given.label, orderId: given.second }));
await step('shipments', () => v1.shipments.list({ orderId: given.second, includeShipmentItems: true }));
await step('void', () => v1.shipments.voidLabel(label.shipmentId));

const hook = await step('subscribe', () => v1.webhooks.subscribe(given.webhook));
await step('webhooks', () => v1.webhooks.list());
await step('unsubscribe', () => v1.webhooks.unsubscribe(hook.id));

await step('carriers', () => v1.carriers.list());
await step('carrier', () => v1.carriers.get('ups'));
await step('services', () => v1.carriers.listServices('ups'));
await step('warehouses', () => v1.warehouses.list());
const products = await step('products', () => v1.products.list({ sku: 'MUG-1' }));
await step('update product', () => v1.products.update({ ...products.products[0], name: 'Big mug' }));
process.exit(0);
