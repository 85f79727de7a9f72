"""Each real server starts, takes data of an old incident, gives it back, and can be made to hang."""

from __future__ import annotations

import base64
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

import pytest

from fixtures.servers.alertmanager import Alertmanager, start_alertmanager
from fixtures.servers.elasticsearch import Elasticsearch
from fixtures.servers.jaeger import Jaeger
from fixtures.servers.kubernetes import Kubernetes
from fixtures.servers.loki import Loki
from fixtures.servers.opensearch import OpenSearch
from fixtures.servers.postgres import Postgres
from fixtures.servers.process import NotStarted, Server, answers, launch, new_folder
from fixtures.servers.prometheus import Prometheus, start_prometheus
from fixtures.servers.tempo import Tempo
from fixtures.servers.unleash import Unleash
from tests.live.conftest import or_skip

INCIDENT = 1_700_000_000  # seconds; November 2023, far older than what any server keeps or accepts by default
TRACE = "1af7651916cd43dd8448eb211c80319c"


def ask(url: str, body: object = None, *, context: ssl.SSLContext | None = None, **headers: str) -> dict[str, object]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"content-type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=20, context=context) as response:
        return json.loads(response.read() or b"{}")


def eventually(look: Callable[[], object]) -> object:
    """What `look` finds within fifteen seconds; servers that index as they please need a moment."""
    deadline = time.monotonic() + 15
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def spans() -> dict[str, object]:
    span = {"traceId": TRACE, "spanId": "b7ad6b7169203331", "name": "GET /cart", "kind": 2, "status": {"code": 2}}
    span |= {"startTimeUnixNano": str(INCIDENT * 10**9), "endTimeUnixNano": str(INCIDENT * 10**9 + 250_000_000)}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "smoke"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "smoke"}, "spans": [span]}]}]}


def test_prometheus_answers_from_backfilled_samples_and_loads_rules() -> None:
    samples = f'# TYPE smoke gauge\nsmoke{{service="a"}} 1 {INCIDENT}\nsmoke{{service="a"}} 2 {INCIDENT + 60}\n# EOF\n'
    rules = {"groups": [{"name": "smoke", "rules": [{"alert": "Smoke", "expr": "vector(1)"}]}]}
    with or_skip(lambda: start_prometheus(backfill=samples, rules=rules)) as server:
        assert value(server.url, "smoke", INCIDENT + 90) == "2"
        assert eventually(lambda: ask(f"{server.url}/api/v1/alerts")["data"]["alerts"])


def test_prometheus_scrapes_itself() -> None:
    scrape = [{"job_name": "self", "static_configs": [{"targets": ["127.0.0.1:9"]}]}]
    with or_skip(lambda: start_prometheus(scrape_configs=scrape)) as server:
        assert eventually(lambda: value(server.url, 'up{job="self"}', time.time())) == "0"


def value(url: str, promql: str, at: float) -> str | None:
    found = ask(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': promql, 'time': at})}")
    result = found["data"]["result"]
    return result[0]["value"][1] if result else None


def test_the_shared_prometheus_is_empty_of_samples(prometheus: Prometheus) -> None:
    assert value(prometheus.url, 'smoke{service="a"}', INCIDENT + 90) is None


def test_prometheus_says_why_samples_are_refused() -> None:
    with pytest.raises(NotStarted, match="promtool"):
        or_skip(lambda: start_prometheus(backfill="smoke 1 1700000000\n"))


def test_alertmanager_takes_an_alert(alertmanager: Alertmanager) -> None:
    ask(f"{alertmanager.url}/api/v2/alerts", [{"labels": {"alertname": "Smoke", "service": "a"}}])
    shown = eventually(lambda: ask(f"{alertmanager.url}/api/v2/alerts"))
    assert [alert["labels"]["service"] for alert in shown] == ["a"]


def test_postgres_answers(postgres: Postgres) -> None:
    shown = subprocess.run(["psql", postgres.url, "-Atc", "select 6 * 7"], capture_output=True, text=True, check=False)
    assert shown.stdout == "42\n"


@pytest.mark.parametrize("server", ["elasticsearch", "elasticsearch9", "opensearch"])
def test_a_data_stream_takes_and_finds_a_line(server: str, request: pytest.FixtureRequest) -> None:
    node: Elasticsearch | OpenSearch = request.getfixturevalue(server)
    mapping = {"properties": {"@timestamp": {"type": "date"}, "service.name": {"type": "keyword"}}}
    template = {
        "index_patterns": ["logs-smoke-*"],
        "data_stream": {},
        "priority": 300,
        "template": {"mappings": mapping},
    }
    ask(f"{node.url}/_index_template/smoke", template)
    line = {"@timestamp": INCIDENT * 1000, "message": "connection refused", "service.name": "a"}
    ask(f"{node.url}/logs-smoke-x/_doc?op_type=create&refresh=true", line)
    services = {"terms": {"field": "service.name"}}
    found = ask(
        f"{node.url}/logs-smoke-*/_search", {"query": {"match": {"message": "refused"}}, "aggs": {"s": services}}
    )
    assert found["hits"]["total"]["value"] == 1
    assert found["aggregations"]["s"]["buckets"] == [{"key": "a", "doc_count": 1}]


def test_secured_elasticsearch_wants_a_password_and_its_certificate(secured_elasticsearch: Elasticsearch) -> None:
    node, health = secured_elasticsearch, f"{secured_elasticsearch.url}/_cluster/health"
    trusted = ssl.create_default_context(cafile=str(node.ca_file))
    password = "Basic " + base64.b64encode(f"{node.username}:{node.password}".encode()).decode()
    assert ask(health, context=trusted, authorization=password)["number_of_nodes"] == 1
    key = ask(f"{node.url}/_security/api_key", {"name": "smoke"}, context=trusted, authorization=password)["encoded"]
    assert ask(health, context=trusted, authorization=f"ApiKey {key}")["number_of_nodes"] == 1
    with pytest.raises(urllib.error.HTTPError) as stranger:
        ask(health, context=trusted)
    assert stranger.value.code == 401
    stranger.value.close()
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        ask(health, context=ssl.create_default_context(), authorization=password)


def test_jaeger_gives_a_trace_back(jaeger: Jaeger) -> None:
    ask(f"{jaeger.otlp_url}/v1/traces", spans())
    (trace,) = eventually(lambda: ask(f"{jaeger.url}/api/traces/{TRACE}")["data"])
    assert [(span["operationName"], span["duration"]) for span in trace["spans"]] == [("GET /cart", 250_000)]


def test_tempo_finds_an_old_trace(tempo: Tempo) -> None:
    ask(f"{tempo.otlp_url}/v1/traces", spans())
    query = {"q": '{resource.service.name="smoke"}', "start": INCIDENT - 60, "end": INCIDENT + 60}
    (found,) = eventually(lambda: ask(f"{tempo.url}/api/search?{urllib.parse.urlencode(query)}")["traces"])
    assert (found["traceID"], found["durationMs"]) == (TRACE, 250)


def test_loki_finds_an_old_line(loki: Loki) -> None:
    stream = {"stream": {"service_name": "smoke"}, "values": [[str(INCIDENT * 10**9), "connection refused"]]}
    ask(f"{loki.url}/loki/api/v1/push", {"streams": [stream]})
    query = {"query": '{service_name="smoke"} |= "refused"', "start": INCIDENT - 60, "end": INCIDENT + 60}
    address = f"{loki.url}/loki/api/v1/query_range?{urllib.parse.urlencode(query)}"
    (found,) = eventually(lambda: ask(address)["data"]["result"])
    assert found["values"] == [[str(INCIDENT * 10**9), "connection refused"]]


def test_unleash_keeps_an_audit_log(unleash: Unleash) -> None:
    flag = {"name": "smoke", "type": "release"}
    ask(f"{unleash.url}/api/admin/projects/default/features", flag, authorization=unleash.admin_token)
    events = ask(f"{unleash.url}/api/admin/events", authorization=unleash.admin_token)["events"]
    assert ("feature-created", "smoke") in [(event["type"], event.get("featureName")) for event in events]
    with pytest.raises(urllib.error.HTTPError) as stranger:
        ask(f"{unleash.url}/api/admin/events")
    assert stranger.value.code == 401
    stranger.value.close()


def test_kubernetes_rolls_a_deployment_out_and_refuses_a_stranger(kubernetes: Kubernetes) -> None:
    trusted = ssl.create_default_context(cafile=str(kubernetes.ca_file))
    container = {"name": "smoke", "image": "smoke:1"}
    template = {"metadata": {"labels": {"app": "smoke"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "smoke"}}, "template": template}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "smoke"}, "spec": spec}
    apps, admin = f"{kubernetes.url}/apis/apps/v1/namespaces/default", f"Bearer {kubernetes.token}"
    ask(f"{apps}/deployments", deployment, context=trusted, authorization=admin)
    (rolled_out,) = eventually(lambda: ask(f"{apps}/replicasets", context=trusted, authorization=admin)["items"])
    assert rolled_out["metadata"]["ownerReferences"][0]["name"] == "smoke"
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(f"{apps}/replicasets", context=trusted, authorization=f"Bearer {kubernetes.stranger}")
    assert refused.value.code == 403
    refused.value.close()


def test_a_paused_server_hangs_until_it_is_resumed() -> None:
    with or_skip(start_alertmanager) as server:
        server.pause()
        with pytest.raises(TimeoutError):
            urllib.request.urlopen(f"{server.url}/-/ready", timeout=0.5)
        server.resume()
        assert eventually(answers(f"{server.url}/-/ready"))


def test_a_paused_server_still_stops_and_leaves_nothing() -> None:
    server = or_skip(start_alertmanager)
    server.pause()
    server.stop()
    assert server.process.returncode is not None
    assert not server.folder.exists()
    server.stop()


def test_a_server_that_ends_at_once_shows_its_log() -> None:
    command = ["sh", "-c", "echo no such disk >&2; exit 3"]
    folder = new_folder("broken")
    with pytest.raises(NotStarted, match=r"(?s)code 3.*no such disk"):
        launch(Server, "broken", command, url="", folder=folder, ready=lambda: False)
    assert not folder.exists()


def test_servers_end_with_a_killed_starter() -> None:
    """Nobody is left to stop them after `kill -9`: the reaper does."""
    program = (
        "from fixtures.servers.process import *\n"
        "server = launch(Server, 'sleeper', ['sleep', '300'], url='', folder=new_folder('sleeper'), ready=lambda: True)\n"
        "print(server.process.pid, server.folder, flush=True)\n"
        "server.process.wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as starter:
        pid, folder = starter.stdout.readline().split()
        os.kill(starter.pid, signal.SIGKILL)
    assert eventually(lambda: not alive(int(pid)))
    os.unlink(f"{folder}/sleeper.log")
    os.rmdir(folder)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
