"""Run every job that is due, in this process: for cron, or a machine without the queue."""

from django.core.management.base import BaseCommand

from orderhub import jobs


class Command(BaseCommand):
    help = "Run the scheduled jobs that are due, without the queue. Safe beside running workers."

    def handle(self, **options):
        for name, outcome in jobs.run_due().items():
            self.stdout.write(f"{name}: {outcome}")
