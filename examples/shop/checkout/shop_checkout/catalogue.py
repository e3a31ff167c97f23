"""The catalogue: read once from YAML, refused as a whole when one entry is wrong."""

from dataclasses import dataclass
from pathlib import Path

import yaml

DEFAULT = Path(__file__).with_name("catalogue.yaml")


@dataclass(frozen=True)
class Product:
    """One thing for sale; the price is in minor units."""

    sku: str
    title: str
    price: int
    stock: int


def read_catalogue(path: Path = DEFAULT) -> dict[str, Product]:
    """Return the products by sku, in the order of the file.

    Raises:
        ValueError: an entry is malformed or a sku stands twice.
    """
    products: dict[str, Product] = {}
    for entry in yaml.safe_load(path.read_text("utf-8")):
        try:
            product = Product(**entry)
        except TypeError as error:
            raise ValueError(f"{path.name}: {entry!r}: {error}") from error
        if product.price < 0 or product.stock < 0:
            raise ValueError(f"{path.name}: {product.sku}: price and stock are never negative")
        if product.sku in products:
            raise ValueError(f"{path.name}: {product.sku} stands twice")
        products[product.sku] = product
    return products
