"""Dockerfiles: the images that FROM names."""

import random

import pytest

from safeconduct.capabilities.inventory import dockerfile
from safeconduct.model.component import Presence, Scope

DIGEST = "sha256:" + "a" * 64


def read(text: str):
    return dockerfile.read("Dockerfile", text.encode())


@pytest.mark.parametrize(
    ("image", "purl", "grade", "requirement"),
    [
        (f"node:20@{DIGEST}", f"pkg:docker/node@sha256:{'a' * 64}", 3, None),
        ("node:20-slim", "pkg:docker/node", 1, "20-slim"),
        ("node:latest", "pkg:docker/node", 0, "latest"),
        ("node", "pkg:docker/node", 0, ""),
        ("docker.io/library/node:20", "pkg:docker/node", 1, "20"),
        ("team/app:1", "pkg:docker/team/app", 1, "1"),
        ("ghcr.io/team/app:1", "pkg:docker/team/app?repository_url=ghcr.io", 1, "1"),
        ("localhost:5000/app:1", "pkg:docker/app?repository_url=localhost:5000", 1, "1"),
    ],
)
def test_only_a_digest_pins(image: str, purl: str, grade: int, requirement: str | None) -> None:
    (found,) = read(f"FROM {image}\n").components
    assert (found.purl.replace("%3A", ":"), found.grade, found.requirement) == (purl, grade, requirement)
    assert (found.presence == Presence.DECLARED) == (grade == 3)


def test_scratch_and_stages_are_exempt_and_early_stages_only_build() -> None:
    text = (
        "FROM golang:1 AS Build\n"
        "RUN x\n"
        "FROM build AS test\n"
        "FROM scratch\n"
        "FROM alpine:3 AS base\n"
        "FROM base\n"
        "COPY --from=build /a /a\n"
    )
    assert [(c.purl, c.scope, c.locations[0].line) for c in read(text).components] == [
        ("pkg:docker/golang", Scope.BUILD, 1),
        ("pkg:docker/alpine", Scope.RUNTIME, 5),
    ]


def test_arguments_before_the_first_from_are_resolved() -> None:
    text = (
        "ARG V=20 REG=reg.example\n"
        "ARG IMG=${REG}/node\n"
        "FROM --platform=$BUILDPLATFORM $IMG:${V}-slim\n"
        "ARG V=21\n"
        "FROM node:${W:-18}\n"
    )
    assert [(c.purl, c.requirement) for c in read(text).components] == [
        ("pkg:docker/node?repository_url=reg.example", "20-slim"),
        ("pkg:docker/node", "18"),
    ]


def test_an_open_variable_is_told_never_guessed() -> None:
    reading = read("ARG BASE\nFROM $BASE\nFROM node:$TAG\n")
    assert [u.path for u in reading.unread] == ["Dockerfile:2"]
    assert [(c.purl, c.requirement, c.grade) for c in reading.components] == [("pkg:docker/node", "node:$TAG", 0)]


def test_continuations_comments_and_here_documents_are_not_instructions() -> None:
    text = (
        "# syntax=docker/dockerfile:1\n"
        "# escape=`\n"
        "FROM `\n"
        " # note\n"
        " node:1\n"
        "RUN <<EOF\n"
        "FROM evil:1\n"
        "EOF\n"
        "run echo `\n"
        "  FROM not:1\n"
    )
    assert [c.purl for c in read(text).components] == ["pkg:docker/node"]


@pytest.mark.parametrize("text", ["", "RUN x", "\x00\xff", "FROM", "FROM !!"])
def test_a_file_that_names_no_image_is_unread(text: str) -> None:
    reading = read(text)
    assert reading.unread
    assert not reading.components


def test_random_bytes_never_crash() -> None:
    for seed in range(200):
        data = b"FROM " + random.Random(seed).randbytes(300)
        dockerfile.read("Dockerfile", data)


def test_nested_defaults_end() -> None:
    read("FROM " + "${A:-" * 5_000 + "x" + "}" * 5_000)
