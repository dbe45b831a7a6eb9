"""SQL functions that Django does not have."""

from __future__ import annotations

from typing import Any

from django.db.models import Func, IntegerField


class Bytes(Func):
    """The size of a text in UTF-8."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **options: Any) -> Any:
        # SQLite has had OCTET_LENGTH since 3.43
        template = "LENGTH(CAST(%(expressions)s AS BLOB))"
        return self.as_sql(compiler, connection, template=template, **options)
