// How products stand on the shelf: what is sold out goes last, whatever the order.
const ORDERS = {
  name: (a, b) => a.title.localeCompare(b.title, "en"),
  price: (a, b) => a.price - b.price,
};

export function shelf(products, sort = "name") {
  const order = Object.hasOwn(ORDERS, sort) ? ORDERS[sort] : ORDERS.name;
  return products
    .map((product) => ({ ...product, soldOut: product.stock === 0, few: product.stock > 0 && product.stock < 10 }))
    .sort((a, b) => a.soldOut - b.soldOut || order(a, b));
}
