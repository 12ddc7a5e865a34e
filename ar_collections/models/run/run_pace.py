"""How long a scheduled job works, and how much it takes at once."""

import time
from contextlib import contextmanager

from odoo.tools import config

# What a job takes of the worker's limit before it lets others work and goes on by a trigger, and
# what one batch takes of it: a worker that is stopped loses a batch and no more.
JOB_SHARE, BATCH_SHARE = 1 / 2, 1 / 12
# How many the first batch has, before it is known how long one takes.
FIRST_BATCH = 10
# So many seconds a worker waits at a time, and at most, for the last batch of another one.
PATIENCE, MOST_PATIENCE = 0.2, 10


def get_worker_limit():
    """Seconds after which Odoo stops a worker of scheduled jobs; infinite without a limit."""
    real = config["limit_time_real_cron"]
    if real is None or real < 0:
        real = config["limit_time_real"]
    limits = [limit for limit in (real, config["limit_time_cpu"]) if limit and limit > 0]
    return min(limits, default=float("inf"))


class Pace:
    """The size of the next batch, so that each takes about as long as it may.

    :ivar size: how many to take next
    """

    def __init__(self, seconds, most):
        """
        :param seconds: that a batch may take
        :param most: a batch is never larger, whatever time it takes
        """
        self.seconds = seconds
        self.most = most
        self.size = most if seconds == float("inf") else min(FIRST_BATCH, most)
        self.patience = min(seconds, MOST_PATIENCE)

    @contextmanager
    def keep(self, count):
        """Learn from a batch of so many what the next one may have."""
        start = time.monotonic()
        yield
        self.learn(count, time.monotonic() - start)

    def learn(self, count, seconds):
        """Grow at most twofold: the next ones may be slower."""
        fitting = self.seconds * count / seconds if seconds else float("inf")
        self.size = int(max(1, min(fitting, 2 * count, self.most)))

    def wait(self):
        """Wait a moment for what others deal with; return whether there is time to look again."""
        if self.patience <= 0:
            return False
        self.patience -= PATIENCE
        time.sleep(PATIENCE)
        return True


class Shift:
    """The time of one job in a worker."""

    def __init__(self, cron, limit=None):
        """
        :param cron: ``ir.cron``, of the environment that the job works in
        :param limit: seconds, by default those of the worker
        """
        self.cron = cron
        self.limit = get_worker_limit() if limit is None else limit
        self.end = time.monotonic() + self.limit * JOB_SHARE

    @property
    def seconds_left(self):
        return max(self.end - time.monotonic(), 0)

    def commit(self, done, remaining):
        """Commit a batch.

        :return: the seconds that are left
        """
        self.cron._commit_progress(done, remaining=remaining)
        return self.seconds_left
