"""The threads that take requests: none is left waiting because everybody was looking elsewhere."""

import threading

from tre.broker.runner import Runner


def test_a_request_that_is_queued_while_a_thread_looks_is_taken_without_a_pause(running, monkeypatch):
    looked = []
    again = threading.Event()

    def nothing_yet(runner):
        looked.append(1)
        if len(looked) == 1:
            runner.wake()  # a request is queued after the look, before the thread waits
        else:
            again.set()

    monkeypatch.setattr("tre.broker.runner._IDLE", 3600.0)
    monkeypatch.setattr(Runner, "_next", nothing_yet)
    runner = Runner(running.broker.parts, threads=1, alone=False)
    runner.start()
    try:
        assert again.wait(60)
    finally:
        runner.stop()
