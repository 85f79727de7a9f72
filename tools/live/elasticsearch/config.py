"""How an Elasticsearch or OpenSearch is asked, and which of its fields say what."""

from __future__ import annotations

import base64
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from tools.live.access import Access

INDICES = (
    *("logs", "logs-*", "*-logs", "*-logs-*", "logs.*", "log-*", "*-log-*"),
    *(
        "filebeat-*",
        "logstash-*",
        "fluentd-*",
        "fluent-bit*",
        "fluentbit-*",
        "vector-*",
        "k8s-*",
        "kubernetes-*",
        "ss4o_logs*",
    ),
)
"""Data streams of Elastic Agent and OpenTelemetry, the habits of shippers, and what people call their own."""

TIME_FIELDS = ("@timestamp", "timestamp", "time", "ts", "datetime", "observed_timestamp")
BODY_FIELDS = ("message", "body.text", "body", "msg", "log", "log.message", "text", "event.original")
SERVICE_FIELDS = (
    "service.name",
    "resource.attributes.service.name",
    "service_name",
    "service",
    "serviceName",
    "kubernetes.labels.app_kubernetes_io/name",
    "kubernetes.labels.app",
    "kubernetes.deployment.name",
    "resource.attributes.k8s.deployment.name",
    "kubernetes.container.name",
    "kubernetes.container_name",
    "container.name",
    "app",
    "application",
    "labels.app",
    "labels.service",
    "fields.service",
    "data_stream.dataset",
    "event.dataset",
    "process.name",
)
"""What names a service exactly stands before what only hints at it."""
SEVERITY_FIELDS = (
    "log.level",
    "severity_text",
    "severity",
    "level",
    "loglevel",
    "log_level",
    "levelname",
    "severityText",
    "severity_number",
    "syslog.severity.name",
)
INSTANCE_FIELDS = (
    "service.instance.id",
    "resource.attributes.service.instance.id",
    "service.node.name",
    "kubernetes.pod.name",
    "kubernetes.pod_name",
    "resource.attributes.k8s.pod.name",
    "container.id",
    "host.name",
    "resource.attributes.host.name",
    "hostname",
    "host",
)
TRACE_FIELDS = ("trace.id", "trace_id", "traceId", "traceid", "otelTraceID")
SPAN_FIELDS = ("span.id", "span_id", "spanId", "spanid", "otelSpanID")


class ElasticsearchConfig(Access):
    """An Elasticsearch 8 or 9, or an OpenSearch, that holds logs.

    Fields are found by their names in the Elastic Common Schema, in OpenTelemetry and in common habit; a field that is
    named here is taken first.
    """

    kind: Literal["elasticsearch"] = "elasticsearch"
    api_key: SecretStr | None = None
    """An API key, as it was shown when it was made (`id:key`, or both in Base64)."""
    product: Literal["elasticsearch", "opensearch"] | None = None
    """What the server is; it is asked where this is not given."""
    index: tuple[str, ...] = Field(default=INDICES, min_length=1)
    """Names or patterns of indices, data streams and aliases; `cluster:logs-*` for another cluster."""
    time_field: str | None = None
    body_field: str | None = None
    service_field: str | None = None
    severity_field: str | None = None
    instance_field: str | None = None
    max_lines: int = Field(default=60_000, ge=1_000, le=1_000_000)
    """Lines of one answer; of more than that errors are read before the rest, and the rest is thinned evenly."""
    max_megabytes: int = Field(default=64, ge=4, le=1_024)
    """Size of the documents of one answer, before compression."""

    @field_validator("api_key")
    @classmethod
    def _sendable_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not (key.get_secret_value().isascii() and key.get_secret_value().isprintable()):
            raise ValueError("it holds a line break or a letter outside of ASCII")
        return key

    @field_validator("index")
    @classmethod
    def _plain_patterns(cls, index: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in index:
            if not pattern or any(sign in pattern for sign in ' ,"\\/|<>?#') or pattern.startswith("_"):
                raise ValueError(f"{pattern!r} is no name or pattern of an index; list several one by one")
        return index

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.api_key is not None and (self.bearer_token is not None or self.username is not None):
            raise ValueError("give either api_key, bearer_token or username and password")
        return self

    @property
    def access(self) -> Access:
        """Address and credentials, the API key as the header that carries it."""
        given = {name: getattr(self, name) for name in Access.model_fields}
        if self.api_key is not None:
            key = self.api_key.get_secret_value().strip()
            sent = base64.b64encode(key.encode()).decode() if ":" in key else key
            given["headers"] = self.headers | {"Authorization": SecretStr(f"ApiKey {sent}")}
        return Access(**given)
