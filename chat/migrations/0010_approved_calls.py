from django.db import migrations
from django.db.models import Exists, OuterRef


def take_up(apps, schema_editor) -> None:  # type: ignore[no-untyped-def]
    calls = apps.get_model("chat", "ToolCall").objects.filter(message=OuterRef("message"))
    decided = calls.filter(status__in=["approved", "denied"], ended_at=None)
    turns = apps.get_model("chat", "Turn").objects.filter(status="waiting")
    turns.filter(Exists(decided)).update(status="queued")


class Migration(migrations.Migration):
    """What was approved while another call of its answer waited is run now."""

    dependencies = [("chat", "0009_providers")]

    operations = [migrations.RunPython(take_up, migrations.RunPython.noop)]
