"""Automation rules: facts of an order, criteria on them, decisions; and all of it in words. No model, no database."""
