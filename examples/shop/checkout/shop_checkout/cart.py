"""Carts and their totals. Money is integers in minor units; nothing here does I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

TAX_PERCENT = 19
FREE_SHIPPING_FROM = 5000
SHIPPING = 490
MOST_OF_ONE = 20


class Priced(Protocol):
    """What a cart needs to know of a product."""

    @property
    def price(self) -> int: ...

    @property
    def stock(self) -> int: ...


class CartError(Exception):
    """The customer asked for something that the shop cannot give."""


@dataclass
class Cart:
    """Quantities by sku; a quantity is at least one."""

    quantities: dict[str, int] = field(default_factory=dict)

    def put(self, sku: str, quantity: int, products: Mapping[str, Priced]) -> None:
        """Set the quantity of one product; zero takes it out."""
        if sku not in products:
            raise CartError(f"there is no product {sku!r}")
        if not 0 <= quantity <= MOST_OF_ONE:
            raise CartError(f"between 0 and {MOST_OF_ONE} pieces of one product")
        if quantity > products[sku].stock:
            raise CartError(f"only {products[sku].stock} pieces of {sku!r} are left")
        if quantity:
            self.quantities[sku] = quantity
        else:
            self.quantities.pop(sku, None)


@dataclass(frozen=True)
class Total:
    """What a cart costs."""

    goods: int
    shipping: int
    tax: int

    @property
    def due(self) -> int:
        return self.goods + self.shipping + self.tax


def total_of(cart: Cart, products: Mapping[str, Priced]) -> Total:
    """Return the total; tax is rounded half up, once, on the whole."""
    goods = sum(products[sku].price * count for sku, count in cart.quantities.items())
    shipping = 0 if not goods or goods >= FREE_SHIPPING_FROM else SHIPPING
    tax = ((goods + shipping) * TAX_PERCENT + 50) // 100
    return Total(goods, shipping, tax)
