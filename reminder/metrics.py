"""Counters and times for operations, in Prometheus form; nothing about a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from negative_list.rules import ACTIONS

if TYPE_CHECKING:
    from negative_list.decision import Decision

__all__ = ["Metrics"]

_LATENCY_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_REASONS = ("missing_facts", "coverage")


class Metrics:
    """Every metric of one sidecar, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        checks = Counter("reminder_checks", "Checks decided.", ["decision"], registry=self.registry)
        self._checks = {action: checks.labels(action) for action in ACTIONS}
        self._seconds = Histogram(
            "reminder_check_seconds",
            "From the prescription to its decision.",
            buckets=_LATENCY_S,
            registry=self.registry,
        )
        self._findings = Counter(
            "reminder_findings", "Findings by class and action.", ["class_id", "action"], registry=self.registry
        )
        self._unknown = Counter(
            "reminder_unknown_findings", "Findings that ask for facts, by class.", ["class_id"], registry=self.registry
        )
        not_evaluated = Counter(
            "reminder_not_evaluated", "Rules triggered and not decided.", ["reason"], registry=self.registry
        )
        self._not_evaluated = {reason: not_evaluated.labels(reason) for reason in _REASONS}
        self._notes = Counter("reminder_notes", "Notes about bodies, by code.", ["code"], registry=self.registry)
        self._refused = Counter(
            "reminder_refused", "Requests refused, by face and reason.", ["face", "reason"], registry=self.registry
        )
        self._rules = Gauge("reminder_rules", "Rules of the active list.", registry=self.registry)
        self._details = Gauge("reminder_details", "Details of the active list.", registry=self.registry)

    def loaded(self, rules: int, details: int) -> None:
        """A list became active."""
        self._rules.set(rules)
        self._details.set(details)

    def decided(self, decision: Decision, seconds: float) -> None:
        """A check was decided."""
        self._checks[decision.decision].inc()
        self._seconds.observe(seconds)
        for finding in decision.findings:
            self._findings.labels(finding.class_id, finding.action).inc()
            if finding.unknown:
                self._unknown.labels(finding.class_id).inc()
        for skipped in decision.not_evaluated:
            self._not_evaluated[skipped.reason].inc()
        for note in decision.notes:
            self._notes.labels(note.code).inc()

    def refused(self, face: str, reason: str) -> None:
        """A request was not decided."""
        self._refused.labels(face, reason).inc()

    def text(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)
