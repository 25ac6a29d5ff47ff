# Runs the cases of the Autobahn TestSuite (by the package kosoku) against a chat server: autobahn.py URL CASE...
# Those cases talk to a server that echoes. A chat server answers text that is no command with one `error` frame instead, so here an
# answer of that form stands for the echo: its count, its place between pongs, and the closing handshake are judged as they are.
# Writes one JSON object per case to stdout.
import asyncio
import json
import sys

from kosoku import FailureError, run_fuzzingclient
from kosoku._caseindex import initialize_shims

initialize_shims()
from case import Case  # noqa: E402 (importable only after the line above)

exact = Case.compare


def is_refusal(message) -> bool:
    try:
        frame = json.loads(message)
        return frame["type"] == "error" and frame["code"] == "invalid_frame"
    except (ValueError, TypeError, KeyError):
        return False


def compare(self, received, expected) -> bool:
    if not isinstance(received, list) or not isinstance(expected, list):
        return exact(self, received, expected)
    if len(received) != len(expected):
        return False
    return all(
        theirs[0] == "message" and is_refusal(ours[1]) if ours[0] == "message" else exact(self, ours, theirs)
        for ours, theirs in zip(received, expected)
    )


Case.compare = compare


async def main(url: str, cases: list[str]) -> None:
    try:
        results = await run_fuzzingclient(url, cases, concurrency=4)
    except FailureError as failure:
        results = failure.results
    for each in results:
        print(
            json.dumps(
                {
                    "id": each.case_id,
                    "what": " ".join(each.description.split()),
                    "behavior": each.behavior.value,
                    "close": each.behavior_close.value,
                    "remoteCode": each.remote_close_code,
                    "result": each.result,
                    "resultClose": each.result_close,
                }
            )
        )


asyncio.run(main(sys.argv[1], sys.argv[2:]))
