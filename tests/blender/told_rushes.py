"""A program that speaks as `rushes client --pipe` does, and answers what it was told to.

    told_rushes.py ANSWERS.json [client --pipe]

ANSWERS.json holds, by type of command, the result, or the whole body where that has a type. It is read again for
each command. What is asked is written to ANSWERS.json.asked, a line each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def say(body: dict[str, Any], parent: str = "") -> None:
    print(json.dumps({"v": 1, "id": "x", "parent": parent, "body": body}), flush=True)


def main(answers: Path) -> None:
    say({"type": "linked", "daemon": "told", "again": False})
    with answers.with_name(answers.name + ".asked").open("a") as asked:
        for line in sys.stdin:
            message = json.loads(line)
            print(json.dumps(message["body"]), file=asked, flush=True)
            told = json.loads(answers.read_text()).get(message["body"]["type"], {})
            say(told if "type" in told else {"type": "answer", "result": told}, message["id"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
