"""Requests to `tiphys up` are answered as a kube-apiserver answers them; tests/kubernetes/README.md tells of the files."""

import pytest

import kube_requests
from kube_server import Kubernetes, why_not

REASON = why_not()
FILES = [pytest.param(file, id=file.stem) for file in kube_requests.files()]


@pytest.mark.parametrize("file", FILES)
def test_answers_as_kubernetes_does(tiphys, file):
    tiphys.up()
    explained = kube_requests.Explained()
    found = kube_requests.compare(kube_requests.read_answers(file), kube_requests.play(kube_requests.of_tiphys(tiphys.data_dir), file), explained)
    assert not found, "\n".join(found)
    stale = explained.unmet(file)
    assert not stale, f"these differences are no more: {stale}"


@pytest.fixture(scope="module")
def kubernetes(tmp_path_factory):
    kubernetes = Kubernetes(tmp_path_factory.mktemp("kubernetes"))
    yield kubernetes
    kubernetes.close()


@pytest.mark.skipif(bool(REASON), reason=f"SKIPPED: {REASON}")
@pytest.mark.parametrize("file", FILES)
def test_kubernetes_answers_as_recorded(kubernetes, file):
    found = kube_requests.compare(kube_requests.read_answers(file), kube_requests.play(kube_requests.of_kubernetes(kubernetes), file), None)
    assert not found, "\n".join(found)


def test_the_page_tells_the_differences():
    assert kube_requests.PAGE.read_text() == kube_requests.page_with_table(), "tests/e2e/kube_requests.py page"
