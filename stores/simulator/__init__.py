"""A stateful imitation of the marketplaces, for the demo and as the oracle of the tests.

It follows the marketplaces' published documents and imports nothing of OrderHub, so it cannot repeat our
mistakes.
"""
