"""Resources are written as version/plural or group/version/plural."""

from __future__ import annotations

import pytest

from sloagent.probes.resource import Resource


@pytest.mark.parametrize(
    ("written", "namespace", "name", "path"),
    [
        ("v1/pods", "", "", "/api/v1/pods"),
        ("v1/pods", "default", "one", "/api/v1/namespaces/default/pods/one"),
        ("apps/v1/deployments", "", "", "/apis/apps/v1/deployments"),
        ("cluster.karmada.io/v1alpha1/clusters", "", "member1", "/apis/cluster.karmada.io/v1alpha1/clusters/member1"),
    ],
)
def test_where_a_resource_is_served(written, namespace, name, path):
    resource = Resource.parse(written)
    assert resource.path(namespace, name) == path
    assert str(resource) == written


@pytest.mark.parametrize("written", ["pods", "a/b/c/d", "v1/", "v1/Pods", "../v1/pods", "v1/pods?x", ""])
def test_what_is_no_resource_is_refused_with_what_is_accepted(written):
    with pytest.raises(ValueError, match="write version/plural or group/version/plural"):
        Resource.parse(written)
