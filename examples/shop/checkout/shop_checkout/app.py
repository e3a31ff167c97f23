"""The HTTP face of the shop: ``gunicorn shop_checkout.app:create_app()``."""

import os
from dataclasses import asdict
from typing import Any

import structlog
from babel.numbers import format_currency
from flask import Flask, Response, jsonify, render_template, request

from shop_checkout.cart import CartError
from shop_checkout.catalogue import read_catalogue
from shop_checkout.payment import Gateway, HttpGateway, Invoices, PaymentError
from shop_checkout.shop import Shop

log = structlog.get_logger()


def money(amount: int) -> str:
    """Return minor units as people read them: 1250 is €12.50."""
    return format_currency(amount / 100, "EUR", locale="en")


def gateway_from(environment: dict[str, str]) -> Gateway:
    """Return the payment gateway that the environment names."""
    url = environment.get("PAYMENT_URL")
    return HttpGateway(url, environment.get("PAYMENT_TOKEN", "")) if url else Invoices()


def create_app(shop: Shop | None = None) -> Flask:
    """Return the application; without a shop, one with the default catalogue."""
    shop = shop or Shop(read_catalogue(), gateway_from(dict(os.environ)))
    app = Flask(__name__)
    app.add_template_filter(money)
    _answer_errors(app)
    _add_reading(app, shop)
    _add_buying(app, shop)
    return app


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(CartError)
    def _refused(error: CartError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 404 if "no such" in str(error) else 409

    @app.errorhandler(PaymentError)
    def _unpaid(error: PaymentError) -> tuple[Response, int]:
        log.warning("payment refused", reason=str(error))
        return jsonify(error=str(error)), 402


def _add_reading(app: Flask, shop: Shop) -> None:
    @app.get("/healthz")
    def _healthy() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/catalogue")
    def _catalogue() -> Response:
        return jsonify([asdict(p) | {"shown": money(p.price)} for p in shop.products])

    @app.get("/carts/<cart>")
    def _cart(cart: str) -> dict[str, Any]:
        quantities, total = shop.look(cart)
        return {"items": quantities, "total": asdict(total), "due": money(total.due)}

    @app.get("/orders/<order>/receipt")
    def _receipt(order: str) -> str:
        titles = {product.sku: product.title for product in shop.products}
        return render_template("receipt.html", order=shop.order(order), titles=titles)


def _add_buying(app: Flask, shop: Shop) -> None:
    @app.post("/carts")
    def _open() -> tuple[dict[str, str], int]:
        return {"id": shop.open_cart()}, 201

    @app.put("/carts/<cart>/items/<sku>")
    def _put(cart: str, sku: str) -> tuple[Response, int]:
        body = request.get_json(silent=True)
        quantity = body.get("quantity") if isinstance(body, dict) else None
        if not isinstance(quantity, int):
            return jsonify(error='the body is {"quantity": N}'), 400
        shop.put(cart, sku, quantity)
        return Response(status=204), 204

    @app.post("/carts/<cart>/checkout")
    def _check_out(cart: str) -> tuple[dict[str, str], int]:
        body = request.get_json(silent=True)
        order = shop.check_out(cart, str(body.get("card", "")) if isinstance(body, dict) else "")
        log.info("ordered", order=order.id, due=order.total.due)
        return {"order": order.id, "due": money(order.total.due)}, 201
