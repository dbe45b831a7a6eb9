import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """What models say beside their words, what their servers said of failures, connections."""

    dependencies = [
        ('chat', '0008_speed'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ProviderConnection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(max_length=100, unique=True)),
                ('address', models.CharField(blank=True, max_length=500)),
                ('sealed_key', models.TextField(blank=True)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AddField(
            model_name='conversation',
            name='offers_tools',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='turn',
            name='context_tokens',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='turn',
            name='context_window',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='turn',
            name='error_details',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='turn',
            name='note',
            field=models.TextField(blank=True),
        ),
        migrations.CreateModel(
            name='OpaquePart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('round', models.PositiveIntegerField()),
                ('call_id', models.CharField(blank=True, max_length=200)),
                ('kind', models.CharField(max_length=40)),
                ('source', models.CharField(blank=True, max_length=500)),
                ('data', models.TextField()),
                ('message', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='opaque_parts', to='chat.message')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='ModelPreference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(max_length=200)),
                ('offers_tools', models.BooleanField(default=True)),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('owner', 'model'), name='model_preference_once')],
            },
        ),
    ]
