"""Amazon Custom: what a buyer wrote and drew for a line, fetched once, shown to who may see it, erased with the order."""
