"""Interrupts a kernel, as the button of a page does, while its cell waits for a run; then asks in another cell how the run has ended."""

import queue
import signal

from jupyter_client.manager import start_new_kernel

WAITS = "import tiphys\ntiphys.run({'metadata': {'name': 'gate'}, 'spec': {'entrypoint': 'gate', 'templates': [{'name': 'gate', 'suspend': {}}]}}, wait=True)"
ASKS = "print(tiphys.get('gate').wait(check=False, progress=False).message)"


def messages(client, kind):
    while True:
        try:
            message = client.get_iopub_msg(timeout=60)
        except queue.Empty:
            raise SystemExit(f"no {kind} within a minute") from None
        if message["msg_type"] == kind:
            yield message["content"]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        client.execute(WAITS, stop_on_error=False)  # what follows is asked all the same
        for content in messages(client, "update_display_data"):
            if "Running" in content["data"]["text/html"]:
                break
        manager.interrupt_kernel()
        assert next(messages(client, "error"))["ename"] == "KeyboardInterrupt"
        client.execute(ASKS)
        said = next(messages(client, "stream"))["text"]
        assert "'Stop'" in said, said
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    print("done")
