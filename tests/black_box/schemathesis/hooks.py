"""Stands in for what the checker cannot work out, so that what it is about to try is what is tried.

To walk along the edges of one value it fills in all others with the simplest that it takes for right. Some of those are not:
`0` is no entity tag and `00000000` no password, and every edge of a body would only ever meet their refusal. Nor is a new
body ever looked at under a key that was used before. What is right for one operation only, such as the password of somebody
who exists, is told by the variable STAND_IN.
"""

import json
import os

import schemathesis

SIMPLEST = {
    "due": {"0000-00-00": "2031-03-12"},
    "key": {"WEB": "OPS"},
    "password": {"00000000": "seven green umbrellas"},
    "time_zone": {"0": "Asia/Seoul"},
}
OF_OPERATION = json.loads(os.environ["STAND_IN"])


def stand_in(value, simplest):
    if isinstance(value, dict):
        for name, rights in simplest.items():
            if isinstance(value.get(name), str):
                value[name] = rights.get(value[name], value[name])
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        stand_in(inner, simplest)


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta.phase.name.value != "coverage":
        return
    tried = getattr(case.meta.phase.data, "parameter", None)
    for name in ("If-Match", "Idempotency-Key"):
        if name != tried and case.headers.get(name) == "0":
            del case.headers[name]
    stand_in(case.body, SIMPLEST | OF_OPERATION.get(case.operation.label, {}))
