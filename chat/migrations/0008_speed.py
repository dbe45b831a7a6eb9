from django.db import migrations, models
from django.db.models import F, deletion


def number_thoughts(apps, schema_editor) -> None:  # type: ignore[no-untyped-def]
    Piece = apps.get_model("chat", "Piece")
    Piece.objects.filter(is_reasoning=True).update(thought=F("pk"))


class Migration(migrations.Migration):
    """One index less on the pieces of live answers."""

    dependencies = [("chat", "0004_search")]

    operations = [
        migrations.AddField("piece", "thought", models.PositiveBigIntegerField(default=0)),
        migrations.RunPython(number_thoughts, migrations.RunPython.noop),
        migrations.RemoveConstraint("piece", "piece_numbered_once"),
        migrations.RemoveField("piece", "is_reasoning"),
        migrations.AlterField(
            "piece",
            "turn",
            models.ForeignKey("chat.turn", db_index=False, on_delete=deletion.CASCADE),
        ),
        migrations.AddConstraint(
            "piece",
            models.UniqueConstraint(
                fields=("turn", "seq", "thought"), name="piece_numbered_once"
            ),
        ),
    ]
