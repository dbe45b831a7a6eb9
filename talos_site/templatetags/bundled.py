"""The names of the page's script and style sheets, for `{% static %}`."""

from __future__ import annotations

from django import template

from talos_site import bundles

register = template.Library()
register.simple_tag(bundles.script_name)
register.simple_tag(bundles.style_names)
