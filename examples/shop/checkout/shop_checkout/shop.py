"""The shop: carts become orders when the payment succeeds. One lock, since workers have threads."""

import secrets
from dataclasses import dataclass, replace
from threading import Lock

from shop_checkout.cart import Cart, CartError, Total, total_of
from shop_checkout.catalogue import Product
from shop_checkout.payment import Gateway


@dataclass(frozen=True)
class Order:
    """A paid cart."""

    id: str
    quantities: dict[str, int]
    total: Total
    payment: str


class Shop:
    """Products, open carts and orders, in memory."""

    def __init__(self, products: dict[str, Product], gateway: Gateway) -> None:
        self._products = dict(products)
        self._gateway = gateway
        self._carts: dict[str, Cart] = {}
        self._orders: dict[str, Order] = {}
        self._lock = Lock()

    @property
    def products(self) -> list[Product]:
        return list(self._products.values())

    def open_cart(self) -> str:
        """Return the id of a new, empty cart; who knows it may use it."""
        cart_id = secrets.token_urlsafe(16)
        with self._lock:
            self._carts[cart_id] = Cart()
        return cart_id

    def put(self, cart_id: str, sku: str, quantity: int) -> None:
        with self._lock:
            self._cart(cart_id).put(sku, quantity, self._products)

    def look(self, cart_id: str) -> tuple[dict[str, int], Total]:
        with self._lock:
            cart = self._cart(cart_id)
            return dict(cart.quantities), total_of(cart, self._products)

    def check_out(self, cart_id: str, card: str) -> Order:
        """Return the order that the cart became.

        Raises:
            CartError: no such cart, an empty one, or stock ran out.
            PaymentError: the gateway refused; the cart stays open and nothing is taken.
        """
        with self._lock:
            cart = self._cart(cart_id)
            if not cart.quantities:
                raise CartError("the cart is empty")
            for sku, count in cart.quantities.items():
                cart.put(sku, count, self._products)
            total = total_of(cart, self._products)
            order_id = secrets.token_hex(8)
            payment = self._gateway.charge(order_id, card, total.due)
            for sku, count in cart.quantities.items():
                product = self._products[sku]
                self._products[sku] = replace(product, stock=product.stock - count)
            order = Order(order_id, dict(cart.quantities), total, payment)
            self._orders[order.id] = order
            del self._carts[cart_id]
            return order

    def order(self, order_id: str) -> Order:
        with self._lock:
            if order_id not in self._orders:
                raise CartError("there is no such order")
            return self._orders[order_id]

    def _cart(self, cart_id: str) -> Cart:
        if cart_id not in self._carts:
            raise CartError("there is no such cart")
        return self._carts[cart_id]
