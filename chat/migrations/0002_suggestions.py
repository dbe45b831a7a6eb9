from django.db import migrations

TEXTS = [
    "Explain a hard idea to me in three simple steps",
    "Help me write a message that is hard to write",
    "Plan a weekend that costs next to nothing",
    "Show me a small Python program and explain it line by line",
    "What is the time in Tokyo?",
]


def suggest(apps, schema_editor) -> None:  # type: ignore[no-untyped-def]
    model = apps.get_model("chat", "Suggestion")
    model.objects.bulk_create(
        model(text=text, position=position) for position, text in enumerate(TEXTS)
    )


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]
    operations = [migrations.RunPython(suggest, migrations.RunPython.noop)]
