"""Argo CD: which revision of which repository was synced when, by whom, and what it brought."""

from tools.live.argocd.backend import ArgoCD, ArgoCDConfig

__all__ = ["ArgoCD", "ArgoCDConfig"]
