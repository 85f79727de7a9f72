"""Elasticsearch 8 and 9, and OpenSearch."""

from tools.live.elasticsearch.backend import Elasticsearch
from tools.live.elasticsearch.config import ElasticsearchConfig

__all__ = ["Elasticsearch", "ElasticsearchConfig"]
