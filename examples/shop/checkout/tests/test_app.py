import pytest

pytest.importorskip("flask", reason="the service's own dependencies are not installed")
pytest.importorskip("babel", reason="the service's own dependencies are not installed")
pytest.importorskip("structlog", reason="the service's own dependencies are not installed")

from shop_checkout.app import create_app
from shop_checkout.catalogue import read_catalogue
from shop_checkout.payment import Invoices, PaymentError
from shop_checkout.shop import Shop


class Refusing:
    def charge(self, order, card, amount):
        raise PaymentError("declined")


def client_of(gateway=None):
    return create_app(Shop(read_catalogue(), gateway or Invoices())).test_client()


def filled(client, sku="mug-blue", quantity=2):
    cart = client.post("/carts").get_json()["id"]
    answer = client.put(f"/carts/{cart}/items/{sku}", json={"quantity": quantity})
    assert answer.status_code == 204
    return cart


def test_a_customer_buys_two_mugs():
    client = client_of()
    cart = filled(client)
    assert client.get(f"/carts/{cart}").get_json()["total"]["goods"] == 2500
    paid = client.post(f"/carts/{cart}/checkout", json={"card": "tok_1"})
    assert paid.status_code == 201
    receipt = client.get(f"/orders/{paid.get_json()['order']}/receipt").get_data(as_text=True)
    assert "Blue mug" in receipt and paid.get_json()["due"] in receipt
    assert client.get(f"/carts/{cart}").status_code == 404
    left = {p["sku"]: p["stock"] for p in client.get("/catalogue").get_json()}
    assert left["mug-blue"] == 38


def test_a_refused_payment_leaves_the_cart_open():
    client = client_of(Refusing())
    cart = filled(client)
    assert client.post(f"/carts/{cart}/checkout", json={"card": "x"}).status_code == 402
    assert client.get(f"/carts/{cart}").get_json()["items"] == {"mug-blue": 2}


def test_nonsense_is_answered_not_crashed_on():
    client = client_of()
    cart = client.post("/carts").get_json()["id"]
    assert client.put(f"/carts/{cart}/items/mug-blue", json=[1]).status_code == 400
    assert client.put(f"/carts/{cart}/items/nope", json={"quantity": 1}).status_code == 409
    assert client.post(f"/carts/{cart}/checkout", data=b"\xff").status_code == 409
    assert client.get("/carts/none").status_code == 404
