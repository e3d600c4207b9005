"""django-q2's worker, started with our schedules in place."""

from django_q.management.commands.qcluster import Command as QueueCommand

from orderhub import jobs


class Command(QueueCommand):
    help = "Start a worker cluster; the schedule table is first made to say what the code declares."

    def handle(self, *args, **options):
        jobs.sync_schedules()
        super().handle(*args, **options)
