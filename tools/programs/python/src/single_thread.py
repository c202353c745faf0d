"""asyncio, threads and executors where there is one thread: an event loop that only has timers to wait for, and
threads and executors that do their work at once, where they are started."""

import asyncio
import concurrent.futures
import sys
import threading
import time


class Sleeper:
    """Stands for the selector: there is nothing to select from, so it sleeps until the next timer is due."""

    def select(self, timeout=None):
        if timeout is None:
            raise RuntimeError("nothing is left that this could wait for")
        if timeout > 0:
            time.sleep(timeout)
        return []


class Loop(asyncio.base_events.BaseEventLoop):
    def __init__(self):
        super().__init__()
        self._selector = Sleeper()

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        pass

    def run_in_executor(self, executor, func, *args):
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


class Immediate(concurrent.futures.Executor):
    def __init__(self, *_arguments, **_options):
        pass

    def submit(self, fn, /, *args, **kwargs):
        future = concurrent.futures.Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def start(thread):
    thread._started.set()
    try:
        thread.run()
    except SystemExit:
        pass
    except Exception:
        threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), thread)))


threading.Thread.start = start
threading.Thread.join = lambda thread, timeout=None: None
threading.Thread.is_alive = lambda thread: False
concurrent.futures.ThreadPoolExecutor = concurrent.futures.ProcessPoolExecutor = Immediate
asyncio.new_event_loop = asyncio.events.new_event_loop = Loop
asyncio.SelectorEventLoop = Loop
