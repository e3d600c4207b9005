"""Weights and sizes in version 1's units: ounces and inches out, what a client says in. Ours are grams and mm. Pure."""

from orderhub.shipstation import values

GRAMS = {
    "ounces": 28.349523125, "ounce": 28.349523125, "oz": 28.349523125, "pounds": 453.59237, "pound": 453.59237,
    "lbs": 453.59237, "grams": 1.0, "gram": 1.0, "g": 1.0,
}  # fmt: skip
MILLIMETRES = {"inches": 25.4, "inch": 25.4, "centimeters": 10.0, "centimeter": 10.0, "cm": 10.0}
SIDES = ("length", "width", "height")


def weight(grams: int | None) -> dict | None:
    return None if grams is None else {"value": ounces(grams), "units": "ounces", "WeightUnits": 1}


def ounces(grams: int | None) -> float | None:
    return None if grams is None else round(grams / GRAMS["ounces"], 2)


def inches(mm: int | None) -> float | None:
    return None if mm is None else round(mm / MILLIMETRES["inches"], 2)


def dimensions(row) -> dict | None:
    """The three sides of a row, None where one is unknown."""
    sides = (row.length_mm, row.width_mm, row.height_mm)
    return {"units": "inches"} | dict(zip(SIDES, map(inches, sides), strict=True)) if all(sides) else None


def grams(told) -> int | None:
    """Of `{"value": "3", "units": "ounces"}`; None where it says nothing, or nothing we understand."""
    factor = GRAMS.get(values.text(values.field(told, "units")).lower() or "ounces")
    number = values.number(values.field(told, "value"))
    return (round(float(number) * factor) or None) if number and factor else None


def millimetres(told) -> tuple[int | None, int | None, int | None]:
    """Length, width and height of `{"units": "inches", "length": 7, …}`."""
    factor = MILLIMETRES.get(values.text(values.field(told, "units")).lower() or "inches", 0.0)
    numbers = (values.number(values.field(told, side)) for side in SIDES)
    length, width, height = (round(float(number) * factor) or None if number else None for number in numbers)
    return length, width, height
