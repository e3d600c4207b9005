"""The API of ShipStation's version 1, for clients that exist already: the same functions beneath, other names on top."""
