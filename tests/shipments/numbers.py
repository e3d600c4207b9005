"""Tracking numbers that their carriers could have made."""


def ups(serial: int) -> str:
    """The UPS number of a serial number below a thousand million; the check digit worked out here, not by our code."""
    body = f"999AA1{serial:09d}"
    values = [int(sign) if sign.isdigit() else (ord(sign) - 3) % 10 for sign in body]
    total = sum(values[0::2]) + 2 * sum(values[1::2])
    return f"1Z{body}{(10 - total % 10) % 10}"
