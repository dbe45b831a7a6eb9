from itertools import islice

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import chat.models

FORWARD = {
    "sqlite": (
        # The words come folded and separated: letters beyond ASCII are what they are to `ascii`.
        # detail=none: which entries hold a word, and not where; half the index, half the writing.
        """CREATE VIRTUAL TABLE chat_searchwords USING fts5(
            words, content='chat_searchentry', content_rowid='id', tokenize='ascii', detail='none'
        )""",
        """CREATE TRIGGER chat_searchwords_insert AFTER INSERT ON chat_searchentry BEGIN
            INSERT INTO chat_searchwords (rowid, words) VALUES (new.id, new.words);
        END""",
        """CREATE TRIGGER chat_searchwords_delete AFTER DELETE ON chat_searchentry BEGIN
            INSERT INTO chat_searchwords (chat_searchwords, rowid, words)
            VALUES ('delete', old.id, old.words);
        END""",
        """CREATE TRIGGER chat_searchwords_update AFTER UPDATE ON chat_searchentry BEGIN
            INSERT INTO chat_searchwords (chat_searchwords, rowid, words)
            VALUES ('delete', old.id, old.words);
            INSERT INTO chat_searchwords (rowid, words) VALUES (new.id, new.words);
        END""",
    ),
    "postgresql": ("CREATE INDEX search_entry_words ON chat_searchentry USING gin (words)",),
}
# The index and the triggers go with the table.
BACK = {"sqlite": ("DROP TABLE chat_searchwords",), "postgresql": ()}
CHUNK = 500


def make(apps, schema_editor) -> None:  # type: ignore[no-untyped-def]
    for statement in FORWARD[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def unmake(apps, schema_editor) -> None:  # type: ignore[no-untyped-def]
    for statement in BACK[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def index_what_is_stored(apps, schema_editor) -> None:  # type: ignore[no-untyped-def]
    from chat.search import index_messages, index_title

    message, conversation = apps.get_model("chat", "Message"), apps.get_model("chat", "Conversation")
    said = message.objects.filter(withdrawn=False).exclude(content="").order_by("created_at", "id")
    ids = iter(list(said.values_list("id", flat=True)))
    while chunk := list(islice(ids, CHUNK)):
        found = message.objects.in_bulk(chunk)
        index_messages(found[key] for key in chunk)
    for titled in conversation.objects.exclude(title="").iterator():
        index_title(titled, titled.title)


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0006_admin"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("said_at", models.DateTimeField()),
                ("words", chat.models.Words()),
                ("conversation", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="chat.conversation")),
                ("message", models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, to="chat.message")),
                ("owner", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        # By itself: as a part of the above it would be made last, and titles are indexed before.
        migrations.AddConstraint(
            model_name="searchentry",
            constraint=models.UniqueConstraint(condition=models.Q(("message__isnull", True)), fields=("conversation",), name="search_entry_one_title"),
        ),
        migrations.RunPython(make, unmake),
        migrations.RunPython(index_what_is_stored, migrations.RunPython.noop),
    ]
