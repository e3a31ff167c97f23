from dataclasses import dataclass

import pytest

from shop_checkout.cart import Cart, CartError, Total, total_of


@dataclass
class Item:
    price: int
    stock: int = 10


PRODUCTS = {"mug": Item(1250), "tea": Item(890, stock=2), "pot": Item(5900)}


def cart_of(**quantities):
    cart = Cart()
    for sku, count in quantities.items():
        cart.put(sku, count, PRODUCTS)
    return cart


def test_an_empty_cart_costs_nothing():
    assert total_of(Cart(), PRODUCTS) == Total(0, 0, 0)


def test_small_orders_pay_shipping_and_tax_on_it():
    total = total_of(cart_of(mug=1), PRODUCTS)
    assert total == Total(1250, 490, 331)
    assert total.due == 2071


def test_large_orders_ship_free():
    assert total_of(cart_of(pot=1), PRODUCTS).shipping == 0


def test_zero_takes_a_product_out():
    cart = cart_of(mug=2)
    cart.put("mug", 0, PRODUCTS)
    assert cart.quantities == {}


@pytest.mark.parametrize(("sku", "count"), [("cup", 1), ("mug", -1), ("mug", 21), ("tea", 3)])
def test_what_cannot_be_sold_is_refused(sku, count):
    with pytest.raises(CartError):
        Cart().put(sku, count, PRODUCTS)
