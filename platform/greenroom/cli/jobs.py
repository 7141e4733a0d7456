"""Jobs: order one, list them, look at one, cancel one."""

from __future__ import annotations

import secrets
from argparse import Namespace
from typing import Any

from greenroom.cli.client import Server
from greenroom.cli.downloads import saved
from greenroom.cli.following import OVER, followed
from greenroom.cli.outcomes import Exit, Stop, is_id
from greenroom.cli.pictures import conditions_of
from greenroom.cli.screen import Screen, shortened, table
from greenroom.cli.signed import server_of

USUAL_SECONDS = 2
ADDRESSES = {"job": "jobs", "clp": "clips", "sub": "submissions", "ref": "references"}


def create(asked: Namespace, screen: Screen) -> int:
    """Orders once, however often it is sent; then stays, where that was asked."""
    server = server_of(asked, screen)
    asked.idempotency_key = asked.idempotency_key or secrets.token_hex(16)
    try:
        wish = _wish(asked, server)
        job = server.post("/api/v1/jobs", wish, key=asked.idempotency_key)
    except KeyboardInterrupt:
        screen.tell(
            "Stopped. If the order had reached the server, it goes on: greenroom list.\n"
            f"The same order with --idempotency-key {asked.idempotency_key} makes no second job."
        )
        return Exit.INTERRUPTED
    _warn(job, screen)
    if not asked.wait and asked.download is None:
        screen.answer(
            job,
            f"{job['id']}  {job['state']}, {job['price_credits']} credits, {_seconds(job)}",
        )
        screen.hint(f"See it with: greenroom get {job['id']}")
        return Exit.DONE
    screen.hint(f"{job['id']}: {job['price_credits']} credits, {_seconds(job)}")
    return _stay(server, job, asked, screen)


def list_jobs(asked: Namespace, screen: Screen) -> int:
    jobs = server_of(asked, screen).items("/api/v1/jobs", asked.limit, state=asked.state)
    rows = [
        (job["id"], screen.state(job["state"]), job["clip"] or "-", shortened(job["prompt"]))
        for job in jobs
    ]
    screen.answer({"items": jobs}, *table(rows))
    if not jobs:
        screen.hint("Nothing yet.")
    return Exit.DONE


def get(asked: Namespace, screen: Screen) -> int:
    server = server_of(asked, screen)
    found = server.get(f"/api/v1/{_place(asked.id)}/{asked.id}")
    simple = [(name, _plain(value)) for name, value in found.items() if _is_simple(value)]
    screen.answer(found, *table(simple))
    return Exit.DONE


def cancel(asked: Namespace, screen: Screen) -> int:
    server = server_of(asked, screen)
    if _place(asked.id) != "jobs":
        raise Stop(Exit.USAGE, "id_malformed", f"“{asked.id}” is no job: it begins with job_.")
    job = server.post(f"/api/v1/jobs/{asked.id}/cancel", again=True)
    is_over = job["state"] in OVER
    screen.answer(job, f"{job['id']}  {job['state'] if is_over else 'stops at its next step'}")
    return Exit.DONE


# Steps -------------------------------------------------------------------------------------------


def _wish(asked: Namespace, server: Server) -> dict[str, Any]:
    """What is left out is taken from the model, or from the clip that is gone on from."""
    model = _model(server, asked.model)
    size, seconds = asked.size, asked.seconds
    if size is None:
        size = model["sizes"][0]
        if asked.extends:
            size = server.get(f"/api/v1/{_place(asked.extends)}/{asked.extends}")["size"]
    if seconds is None:
        lengths = [each["seconds"] for each in model["lengths"]]
        seconds = min(lengths, key=lambda length: abs(length - USUAL_SECONDS))
    wish = {
        "prompt": asked.prompt,
        "model": asked.model or model["slug"],
        "size": size,
        "seconds": seconds,
        "tier": asked.tier,
        "seed": asked.seed,
        "thread": asked.thread,
        "extends": asked.extends,
        "styles": [_style(text) for text in asked.style] or None,
        "conditions": conditions_of(asked, server) or None,
    }
    return {name: value for name, value in wish.items() if value is not None}


def _model(server: Server, slug: str | None) -> dict[str, Any]:
    offered = server.get("/api/v1/models")["items"]
    named = [one for one in offered if slug in (None, one["slug"], _whole_name(one))]
    if not named:
        words = f"There is no model “{slug}”" if slug else "There is no model to order from"
        raise Stop(Exit.NOT_FOUND, "model_unknown", f"{words}. See: greenroom models")
    if slug is None and len({one["slug"] for one in named}) > 1:
        names = ", ".join(dict.fromkeys(one["slug"] for one in named))
        raise Stop(Exit.USAGE, "model_missing", f"Say which model with --model: {names}.")
    return dict(named[0])


def _whole_name(model: dict[str, Any]) -> str:
    return f"{model['slug']}@{model['revision']}"


def _style(text: str) -> dict[str, Any]:
    name, colon, weight = text.partition(":")
    try:
        return {"style": name, **({"weight": float(weight)} if colon else {})}
    except ValueError:
        raise Stop(
            Exit.USAGE,
            "style_malformed",
            f"“{text}”: a style is NAME or NAME:WEIGHT, like ink:0.8.",
        ) from None


def _warn(job: dict[str, Any], screen: Screen) -> None:
    for warning in job.get("warnings", []):
        screen.tell(f"Note: {warning['sentence']}")


def _stay(server: Server, job: dict[str, Any], asked: Namespace, screen: Screen) -> int:
    try:
        job = followed(server, job["id"], screen)
    except KeyboardInterrupt:
        screen.tell(
            f"Stopped watching; {job['id']} goes on.\n"
            f"See it with: greenroom get {job['id']}\n"
            f"Stop it with: greenroom cancel {job['id']}"
        )
        return Exit.INTERRUPTED
    if job["state"] != "finished":
        return _not_finished(job, screen)
    if asked.download is None:
        screen.answer(job, f"{job['clip']}  {screen.state('finished')}, {job['id']}")
        return Exit.DONE
    path = saved(server, job["clip"], "master", asked.download, screen)
    screen.answer({**job, "saved_as": str(path)}, f"{job['clip']}  {path}")
    return Exit.DONE


def _not_finished(job: dict[str, Any], screen: Screen) -> int:
    why = f", {job['failure_code']}" if job["failure_code"] else ""
    screen.answer(job, f"{job['id']}  {screen.state(job['state'])}{why}")
    if job["state"] == "held":
        screen.tell("It waits for your word in the portal: its token was revoked or paused.")
    return Exit.JOB_FAILED


def _place(shown_id: str) -> str:
    prefix = shown_id.partition("_")[0]
    place = ADDRESSES.get(prefix)
    if place is None or not is_id(shown_id, prefix):
        kinds = ", ".join(f"{prefix}_…" for prefix in ADDRESSES)
        raise Stop(Exit.USAGE, "id_malformed", f"“{shown_id}” is no id: {kinds}.")
    return place


def _seconds(job: dict[str, Any]) -> str:
    return f"{job['seconds']:g} s"


def _is_simple(value: Any) -> bool:
    return not isinstance(value, (dict, list))


def _plain(value: Any) -> str:
    if value is None or value == "":
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)
