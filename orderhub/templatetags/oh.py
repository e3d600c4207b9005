"""Filters of orderhub/wording.py for templates."""

from django import template

from orderhub import wording

register = template.Library()
register.filter("day", wording.day)
register.filter("utc", wording.utc)
register.filter("day_and_time", wording.day_and_time)
register.filter("short_day_and_time", wording.short_day_and_time)
register.filter("amount", wording.amount)
register.simple_tag(wording.badge, name="badge")
