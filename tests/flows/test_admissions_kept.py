"""What the webhook answered is in the graph after it stopped; and one judgement is enough for one answer."""

import json

import pytest

from safeconduct.capabilities.kubernetes.review import read_review
from safeconduct.capabilities.policy.engine import RegoWorker
from safeconduct.foundation.clock import system_clock
from safeconduct.foundation.settings import load_settings
from safeconduct.phases.authority import Authority
from safeconduct.phases.deploy.admission import Admission, Cluster
from simulators.forgery import published
from simulators.reviews import pod_review
from simulators.world import IMAGE

REQUESTS = 40


def pinned(world) -> str:
    return f"{IMAGE}@{published(world).resolve('1.0').digest}"


def admissions(world) -> list[str]:
    digest = pinned(world).partition("@")[2]
    judgements = world.run("ask", "digest", digest, "--json", exits=None).json["judgements"]
    return [judgement["place"] for judgement in judgements if judgement["kind"] == "admission"]


def test_what_was_answered_is_in_the_graph_after_the_server_stopped(world):
    with world.serve("--cluster", "prod") as webhook:
        for number in range(REQUESTS):
            answer = webhook.review("validate", pod_review(pinned(world), name=f"p{number}"))
            assert answer["allowed"] is True
        assert webhook.review("validate", pod_review(pinned(world), name="dry", dryRun=True))["allowed"] is True
    assert admissions(world) == [f"prod/default/pod/p{number}" for number in range(REQUESTS)]


class Counting:
    """The real engine, with a count of the judgements of images."""

    def __init__(self, engine):
        self.engine = engine
        self.asked = 0

    def evaluate(self, pack, rules, encoded):
        self.asked += "image-signed" in {rule.id for rule in rules}
        return self.engine.evaluate(pack, rules, encoded)


@pytest.mark.parametrize("graph", ["graph.db", "another.db"])
@pytest.mark.parametrize("more", [{}, {"dryRun": True}])
def test_a_digest_without_verdict_is_judged_once(world, graph, more):
    """Whether the graph holds its evidence, or it is fetched for the first time; dry run or not."""
    world.set(store=graph)
    world.run("db", "update", "operator/feed")
    settings = load_settings((world.operator / "safeconduct.toml",), {}, {}, world.folder / "none.db").settings
    review = read_review(pod_review(pinned(world), **more))
    with RegoWorker() as real:
        engine = Counting(real)
        authority = Authority(settings, world.environment, system_clock, world.operator / "data")
        admission = Admission(authority, engine, Cluster("prod"))
        assert admission.review(review.request, phase="validate").outcome == 0, json.dumps(more)
        assert engine.asked == 1
