"""django-q2's worker, started with our schedules in place and a sentinel that survives sudden deaths."""

import contextlib

from django.db import connection
from django_q import cluster
from django_q.management.commands.qcluster import Command as QueueCommand

from orderhub import jobs
from orderhub.cluster import Sentinel
from orderhub.housekeeping.jobs import heartbeat
from orderhub.starting import refuse_unsafe
from privacy import audit_keeping


class Command(QueueCommand):
    help = "Start a worker cluster; the schedule table is first made to say what the code declares."
    requires_system_checks = []  # refuse_unsafe runs them, and more

    def handle(self, *args, **options):
        refuse_unsafe()
        jobs.sync_schedules()
        audit_keeping.tell_settings(actor="manage.py qcluster")
        with contextlib.suppress(jobs.JobFailed):
            jobs.run(heartbeat.job_name)  # health need not wait for the queue's first tick, half a minute away
        connection.close()  # the cluster forks
        cluster.Sentinel = Sentinel  # the cluster has no other way to be told which one to start
        super().handle(*args, **options)
