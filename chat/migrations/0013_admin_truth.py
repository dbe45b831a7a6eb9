from django.db import migrations, models


class Migration(migrations.Migration):
    """Who ran a command; calls and failures in order of time, whenever they were imported."""

    dependencies = [("chat", "0012_short_writes")]

    operations = [
        migrations.AddField(
            model_name="audit",
            name="operator",
            field=models.CharField(blank=True, default="", max_length=200),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="toolcall",
            index=models.Index(fields=["created_at", "id"], name="tool_call_by_time"),
        ),
        migrations.RemoveIndex(model_name="turn", name="turn_failed"),
        migrations.AddIndex(
            model_name="turn",
            index=models.Index(
                fields=["ended_at"],
                condition=models.Q(status__in=["failed", "interrupted"]),
                name="turn_failed_by_end",
            ),
        ),
    ]
