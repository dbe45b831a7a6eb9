import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# An entry that changes hands keeps its words: they need not be written again.
_UPDATE = """CREATE TRIGGER chat_searchwords_update AFTER UPDATE {} ON chat_searchentry BEGIN
    INSERT INTO chat_searchwords (chat_searchwords, rowid, words)
    VALUES ('delete', old.id, old.words);
    INSERT INTO chat_searchwords (rowid, words) VALUES (new.id, new.words);
END"""


def _make(schema_editor, of: str) -> None:  # type: ignore[no-untyped-def]
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER chat_searchwords_update", params=None)
        schema_editor.execute(_UPDATE.format(of), params=None)


def forward(apps, schema_editor) -> None:  # type: ignore[no-untyped-def]
    _make(schema_editor, "OF words")


def back(apps, schema_editor) -> None:  # type: ignore[no-untyped-def]
    _make(schema_editor, "")


class Migration(migrations.Migration):
    """Conversations that are hidden while they are written, jobs that import files."""

    dependencies = [
        ('chat', '0011_kept_renders'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ImportJob',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('size', models.PositiveBigIntegerField()),
                ('renew', models.BooleanField(default=False)),
                ('status', models.CharField(choices=[('queued', 'waiting'), ('running', 'running'), ('done', 'finished'), ('cancelled', 'stopped'), ('failed', 'broken off')], default='queued', max_length=10)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('cancel_requested', models.BooleanField(default=False)),
                ('read', models.PositiveBigIntegerField(default=0)),
                ('looked_at', models.PositiveIntegerField(default=0)),
                ('counts', models.JSONField(default=dict)),
                ('summary', models.TextField(blank=True)),
                ('has_faults', models.BooleanField(default=False)),
                ('complaint', models.TextField(blank=True)),
                ('report', models.JSONField(default=list)),
                ('more', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name='conversation',
            name='hidden',
            field=models.CharField(blank=True, choices=[('', 'not hidden'), ('arriving', 'being imported'), ('leaving', 'being deleted'), ('moving', 'being given to its owner')], default='', editable=False, max_length=10),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(condition=models.Q(('hidden__gt', '')), fields=['hidden'], name='conversation_hidden'),
        ),
        migrations.AddConstraint(
            model_name='conversation',
            constraint=models.CheckConstraint(condition=models.Q(('hidden__in', ['', 'arriving', 'leaving', 'moving'])), name='conversation_hidden_known'),
        ),
        migrations.AddField(
            model_name='importjob',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='importjob',
            index=models.Index(fields=['created_at'], name='import_job_by_time'),
        ),
        migrations.AddConstraint(
            model_name='importjob',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'running', 'done', 'cancelled', 'failed'])), name='import_job_status_known'),
        ),
        migrations.RunPython(forward, back),
    ]
