"""A shop in a real cluster, and what happens to it: rollouts, a scaling, edits by hand, a node, a certificate.

Deployments, their ReplicaSets and events are made by the cluster's own controllers. It has no nodes, so what a kubelet,
an autoscaler and a certificate manager would write is written here in their place.
"""

from __future__ import annotations

import json
import time
from typing import Any

from fixtures.servers.kubernetes_api import KubernetesApi

SHOP = "shop"
APART_SECONDS = 2.2
"""The API server writes times to the second; what is to be told apart is done further apart than that."""


APPS = f"/apis/apps/v1/namespaces/{SHOP}"
CORE = f"/api/v1/namespaces/{SHOP}"
NETWORKING = f"/apis/networking.k8s.io/v1/namespaces/{SHOP}"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CERTIFICATES = f"/apis/cert-manager.io/v1/namespaces/{SHOP}/certificates"


def fill(cluster: KubernetesApi) -> None:
    """The shop as it stands before anything happens."""
    cluster.make("/api/v1/namespaces", {"metadata": {"name": SHOP}})
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"timeout_ms": "800", "cart": "http://cart:8080"}}
    applied = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(settings)}
    cluster.make(f"{CORE}/configmaps", {**settings, "metadata": {"name": "checkout-settings", "annotations": applied}})
    for name, size in (("cart-6f9c", "50"), ("cart-7d2b", "5")):
        data = {"cart.properties": f"cache.size={size}\ncache.ttl=60"}
        cluster.make(f"{CORE}/configmaps", {"metadata": {"name": name}, "data": data})
    cluster.make(
        f"{CORE}/secrets", {"metadata": {"name": "checkout-db"}, "stringData": {"password": "never-to-be-seen"}}
    )
    cluster.make(f"{APPS}/deployments", checkout("1.4.1", pool="20"))
    cluster.make(f"{APPS}/deployments", cart("cart-6f9c"))
    cluster.make(f"{APPS}/statefulsets", database("15.4"))
    for name in ("checkout", "cart", "db"):
        cluster.make(f"{CORE}/services", service(name))
    cluster.make(f"{NETWORKING}/ingresses", ingress())
    cluster.make(
        "/api/v1/nodes", {"metadata": {"name": "node-a", "labels": {"kubernetes.io/hostname": "node-a"}}}, "kubelet"
    )
    cluster.make(CRDS, certificate_definition())
    revision(cluster, "checkout", 1)
    revision(cluster, "cart", 1)
    cluster.until(f"{APPS}/controllerrevisions", lambda found: len(found["items"]) == 1)
    _let_read_deployments(cluster)
    cluster.served(CERTIFICATES)


def _let_read_deployments(cluster: KubernetesApi) -> None:
    """What the user `reader` may."""
    access = "/apis/rbac.authorization.k8s.io/v1"
    rule = {"apiGroups": ["apps"], "resources": ["deployments", "replicasets"], "verbs": ["list"]}
    cluster.make(f"{access}/clusterroles", {"metadata": {"name": "reads-deployments"}, "rules": [rule]})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reads-deployments"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "reader"}
    binding = {"metadata": {"name": "reader"}, "roleRef": role, "subjects": [subject]}
    cluster.make(f"{access}/clusterrolebindings", binding)


def happen(cluster: KubernetesApi) -> None:
    """What the investigation is to find."""
    time.sleep(APART_SECONDS)
    cause = {"annotations": {"kubernetes.io/change-cause": "release 1.5.0"}}
    cluster.patch(f"{APPS}/deployments/checkout", {**checkout("1.5.0", pool="2"), "metadata": cause}, "helm")
    revision(cluster, "checkout", 2)
    cluster.patch(f"{APPS}/deployments/cart", cart("cart-7d2b"), "kubectl-client-side-apply")
    revision(cluster, "cart", 2)
    time.sleep(APART_SECONDS)
    cluster.patch(f"{APPS}/deployments/cart", cart("cart-6f9c"), "kubectl-rollout")
    revision(cluster, "cart", 3)
    cluster.patch(f"{APPS}/statefulsets/db", database("16.1"), "kubectl-client-side-apply")
    cluster.until(f"{APPS}/controllerrevisions", lambda found: len(found["items"]) == 2)
    cluster.patch(f"{APPS}/deployments/checkout/scale", {"spec": {"replicas": 1}}, "kubectl")
    edit = {"data": {"timeout_ms": "80"}}
    cluster.patch(f"{CORE}/configmaps/checkout-settings", edit, "kubectl-edit")
    cluster.patch(f"{CORE}/secrets/checkout-db", {"stringData": {"password": "also-never"}}, "vault-sync")
    policy = {"metadata": {"name": "deny-all"}, "spec": {"podSelector": {"matchLabels": {"app": "cart"}}}}
    cluster.make(f"{NETWORKING}/networkpolicies", policy)
    cluster.patch("/api/v1/nodes/node-a", {"spec": {"unschedulable": True}}, "kubectl-cordon")
    _by_machines(cluster)


def _by_machines(cluster: KubernetesApi) -> None:
    """In the place of a node's agent, an autoscaler and a certificate manager."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    unfit = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
    unfit |= {"lastTransitionTime": now, "lastHeartbeatTime": now}
    cluster.patch("/api/v1/nodes/node-a/status", {"status": {"conditions": [unfit]}}, "kubelet")
    pods = cluster.until(f"{CORE}/pods?labelSelector=app=checkout", lambda found: len(found["items"]) >= 1)["items"]
    name = pods[0]["metadata"]["name"]
    ended = {"reason": "OOMKilled", "exitCode": 137, "startedAt": now, "finishedAt": now}
    state = {"name": "checkout", "ready": False, "restartCount": 3, "image": "", "imageID": ""}
    status = {"status": {"containerStatuses": [{**state, "lastState": {"terminated": ended}}]}}
    cluster.patch(f"{CORE}/pods/{name}/status", status, "kubelet")
    said = (
        ("Pod", name, "Warning", "BackOff", "Back-off restarting failed container checkout in pod", 7),
        ("Pod", name, "Warning", "Evicted", "The node was low on resource: memory.", 1),
        ("HorizontalPodAutoscaler", "cart", "Normal", "SuccessfulRescale", "New size: 4; reason: cpu above target", 1),
    )
    for kind, of, type_, reason, message, count in said:
        event = {"metadata": {"generateName": f"{of}."}, "type": type_, "reason": reason, "message": message}
        involved = {"kind": kind, "namespace": SHOP, "name": of}
        seen = {"firstTimestamp": now, "lastTimestamp": now, "count": count}
        cluster.make(f"{CORE}/events", {**event, "involvedObject": involved, **seen})
    made = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "shop"}}
    spec = {"secretName": "shop-tls", "dnsNames": ["shop.example"]}
    status = {"notBefore": "2026-01-10T00:00:00Z", "notAfter": "2026-04-10T00:00:00Z"}
    cluster.make(CERTIFICATES, {**made, "spec": spec, "status": status})


def revision(cluster: KubernetesApi, name: str, number: int) -> None:
    """Wait until the controller has made it."""
    noted = "deployment.kubernetes.io/revision"
    cluster.until(
        f"{APPS}/deployments/{name}",
        lambda found: found["metadata"].get("annotations", {}).get(noted) == str(number),
    )


def _workload(name: str, labels: dict[str, str], pod: dict[str, Any], replicas: int = 1) -> dict[str, Any]:
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": labels["app"]}}, "template": template}
    return {"metadata": {"name": name}, "spec": spec}


def checkout(version: str, pool: str) -> dict[str, Any]:
    secret = {"valueFrom": {"secretKeyRef": {"name": "checkout-db", "key": "password"}}}
    container = {
        "name": "checkout",
        "image": f"registry.example/shop/checkout:{version}",
        "env": [
            {"name": "POOL_SIZE", "value": pool},
            {"name": "DATABASE", "value": "postgres://db.shop.svc.cluster.local:5432/orders"},
            {"name": "DB_PASSWORD", **secret},
        ],
        "envFrom": [{"configMapRef": {"name": "checkout-settings"}}],
    }
    return _workload("checkout", {"app": "checkout"}, {"containers": [container]}, replicas=2)


def cart(settings: str) -> dict[str, Any]:
    container = {"name": "cart", "image": "registry.example/shop/cart@sha256:" + "ab" * 32}
    volume = {"name": "settings", "configMap": {"name": settings}}
    labels = {"app": "cart", "app.kubernetes.io/name": "cart-service"}
    return _workload("cart", labels, {"containers": [container], "volumes": [volume]})


def database(version: str) -> dict[str, Any]:
    made = _workload("db", {"app": "db"}, {"containers": [{"name": "db", "image": f"postgres:{version}"}]})
    return {**made, "spec": {**made["spec"], "serviceName": "db"}}


def service(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": [{"port": 8080}]}}


def ingress() -> dict[str, Any]:
    backend = {"service": {"name": "checkout", "port": {"number": 8080}}}
    rule = {"host": "shop.example", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    tls = [{"hosts": ["shop.example"], "secretName": "shop-tls"}]
    return {"metadata": {"name": "shop"}, "spec": {"rules": [rule], "tls": tls}}


def certificate_definition() -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "certificates", "singular": "certificate", "kind": "Certificate"}
    spec = {"group": "cert-manager.io", "names": names, "scope": "Namespaced", "versions": [version]}
    return {"metadata": {"name": "certificates.cert-manager.io"}, "spec": spec}
