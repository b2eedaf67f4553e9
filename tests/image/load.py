"""A little load on a Fairy whose containers are killed meanwhile, and the account of it.

    load.py FAIRY MAIL PROGRESS

Four callers create tasks for a second person, each under an Idempotency-Key, and repeat a request until it is answered for
good. PROGRESS holds how many were. On SIGTERM it stops, waits until the system has told everybody, and fails if a task is
lost or doubled, a number is skipped, or a change has not reached the activity log, the person, or the mail page.
"""

import json
import pathlib
import re
import secrets
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

FAIRY, MAIL, PROGRESS = f"http://{sys.argv[1]}", f"http://{sys.argv[2]}", pathlib.Path(sys.argv[3])
RUN = secrets.token_hex(4)
# How long the system may take to come to rest after the last kill: longer than any lease and retry of it.
PATIENCE = 180
# What is answered while a part is away or the fate of a request is unknown.
AGAIN = {429, 500, 502, 503, 504}
stop = threading.Event()


def call(path, body=None, token=None, **headers):
    """The status and the JSON of an answer; None where there was none."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    request = urllib.request.Request(f"{FAIRY}/v1{path}", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), error.headers
    except (OSError, ValueError):
        return None, None, None


def until(what, look):
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.2)
    sys.exit(f"waited {PATIENCE} s in vain: {what}")


def sure(path, body=None, token=None, **headers):
    """The answer to a request that is repeated until it is one."""

    def attempt():
        status, told, _ = call(path, body, token, **headers)
        if status is None or status in AGAIN:
            return None
        if not 200 <= status < 300:
            sys.exit(f"{path} answered {status}: {told}")
        return told

    return until(f"{path} is answered", attempt)


def letters():
    with urllib.request.urlopen(f"{MAIL}/email", timeout=30) as answer:
        return json.load(answer)


def person(name):
    email = f"{name.lower()}-{RUN}@example.com"
    status, told, headers = call("/auth/sign-up", {"email": email, "password": f"four small {RUN} frogs", "name": name})
    if status != 201:
        sys.exit(f"{name} cannot sign up: {status} {told}")
    cookie = headers["Set-Cookie"].split(";")[0]
    browser = {"Cookie": cookie, "X_CSRF_Token": told["csrf_token"]}
    token = sure("/me/tokens", {"name": "load", "scopes": ["admin"]}, **browser)["token"]
    return {"id": told["user"]["id"], "email": email, "token": token, "browser": browser}


def team():
    mina = person("Mina")
    space = sure("/workspaces", {"name": f"Load {RUN}"}, mina["token"])["slug"]
    sure(f"/workspaces/{space}/projects", {"key": "WEB", "name": "Website"}, mina["token"])
    joon = person("Joon")
    sure(f"/workspaces/{space}/invitations", {"email": joon["email"], "role": "member"}, mina["token"])

    def code():
        for letter in letters():
            if joon["email"] in json.dumps(letter["to"]):
                if found := re.search(r"/invitations/([A-Za-z0-9_-]+)", letter["text"]):
                    return found[1]
        return None

    sure(f"/invitations/{until('the invitation is mailed', code)}/accept", {}, **joon["browser"])
    return space, mina["token"], joon["id"]


def creates(space, token, joon, caller, done):
    number = 0
    while not stop.is_set():
        title = f"{caller}-{number}"
        body = {"project": "WEB", "title": title, "assignees": [joon]}
        done[title] = sure(f"/workspaces/{space}/tasks", body, token, Idempotency_Key=f"{RUN}-{title}")
        number += 1
        PROGRESS.with_suffix(f".{caller}").write_text(f"{number}\n")
        stop.wait(0.05)


def everything(path, token):
    items, cursor = [], ""
    while cursor is not None:
        page = sure(f"{path}{'&' if '?' in path else '?'}limit=200{cursor}", token=token)
        items += page["items"]
        cursor = page["next"] and f"&cursor={page['next']}"
    return items


def changes(space, token):
    items = []
    while page := sure(f"/workspaces/{space}/changes?limit=200&after={len(items)}", token=token)["items"]:
        items += page
    return items


def account(space, token, joon, done):
    # Asked for again, each is answered with the task that it made, also the one whose first answer was "accepted".
    for title in done:
        body = {"project": "WEB", "title": title, "assignees": [joon]}
        done[title] = sure(f"/workspaces/{space}/tasks", body, token, Idempotency_Key=f"{RUN}-{title}", Prefer="wait=60")
    tasks = everything(f"/workspaces/{space}/tasks", token)
    assert sorted(task["title"] for task in tasks) == sorted(done), "tasks were lost or doubled"
    assert {task["title"]: task["id"] for task in tasks} == {title: task["id"] for title, task in done.items()}
    numbers = sorted(int(task["key"].removeprefix("WEB-")) for task in tasks)
    assert numbers == list(range(1, len(done) + 1)), "task numbers have gaps"
    feed = changes(space, token)
    assert [change["seq"] for change in feed] == list(range(1, len(feed) + 1)), "the feed has gaps"
    made = [change["task"]["id"] for change in feed if change["kind"] == "task.created"]
    assert sorted(made) == sorted(task["id"] for task in tasks), "changes were lost or doubled"

    def recorded():
        log = everything(f"/workspaces/{space}/activity", token)
        return sorted(entry["seq"] for entry in log) == [change["seq"] for change in feed]

    until("each change is in the activity log, once", recorded)
    notices = set()
    for task in tasks:
        notices |= until(f"{task['key']} is told", lambda: told(space, token, joon, task["key"]))
    count = lambda: [letter["headers"].get("x-fairy-notice") for letter in letters()]
    until("each notice is on the mail page", lambda: notices <= set(count()))
    arrived = [notice for notice in count() if notice in notices]
    print(f"{len(tasks)} tasks, {len(feed)} changes, {len(notices)} notices: nothing lost, nothing doubled;", end=" ")
    print(f"{len(arrived) - len(notices)} mails repeated")


def told(space, token, joon, key):
    receipts = sure(f"/workspaces/{space}/tasks/{key}/receipts", token=token)["items"]
    his = [receipt for receipt in receipts if receipt["person"]["id"] == joon and receipt["notice"]]
    sent = his and all(delivery["state"] == "sent" for receipt in his for delivery in receipt["deliveries"])
    return {receipt["notice"] for receipt in his} if sent else None


def main():
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    space, token, joon = team()
    done = {}
    callers = [threading.Thread(target=creates, args=(space, token, joon, caller, done)) for caller in "abcd"]
    for caller in callers:
        caller.start()
    stop.wait()
    for caller in callers:
        caller.join()
    account(space, token, joon, done)


main()
