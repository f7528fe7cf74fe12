"""The workflow as a whole: names, schedules, configurations of clusters, what Argo takes today."""

import pytest

import tiphys.couler.argo as couler
from tiphys.couler.core import states
from tiphys.couler.core.current_form import submitted
from tiphys.couler.core.templates.dns import DnsConfig, DnsConfigOption
from tiphys.couler.core.templates.image_pull_secret import ImagePullSecret
from tiphys.couler.core.templates.toleration import Toleration
from tiphys.couler.core.templates.volume_claim import VolumeClaimTemplate


def step():
    couler.run_container(image="i", command="c")


# What it is about, what a program does, what the spec has beside its entrypoint and templates.
OF_SPECS = [
    ("timeout", lambda: couler.config_workflow(timeout=60), {"activeDeadlineSeconds": 60}),
    ("time_to_clean", lambda: couler.config_workflow(time_to_clean=90.0), {"ttlSecondsAfterFinished": 90.0}),
    ("service_account", lambda: couler.config_workflow(service_account="robot"), {"serviceAccountName": "robot"}),
    ("user_id is kept to the program", lambda: couler.config_workflow(user_id="ann"), {}),
    ("a security context", lambda: couler.workflow.set_security_context({"runAsUser": 1}), {"securityContext": {"runAsUser": 1}}),
    ("a toleration", lambda: couler.add_toleration(Toleration(key="k", effect="NoSchedule", operator="Exists")), {"tolerations": [{"key": "k", "effect": "NoSchedule", "operator": "Exists"}]}),
    ("secrets for images", lambda: couler.add_image_pull_secret(ImagePullSecret("s")), {"imagePullSecrets": [{"name": "s"}]}),
    ("names", lambda: couler.set_dns("None", DnsConfig(["10.0.0.1"], [DnsConfigOption("timeout", "1")])),
     {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.0.0.1"], "options": [{"name": "timeout", "value": "1"}]}}),
    ("a volume of the workflow", lambda: couler.create_workflow_volume(VolumeClaimTemplate("v", ["ReadWriteOnce"], "1Gi")),
     {"volumeClaimTemplates": [{"metadata": {"name": "v"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}),
]


@pytest.mark.parametrize("configure, fields", [row[1:] for row in OF_SPECS], ids=[row[0] for row in OF_SPECS])
def test_specs(configure, fields):
    step()
    configure()
    spec = couler.workflow_yaml()["spec"]
    assert {key: value for key, value in spec.items() if key not in ("entrypoint", "templates")} == fields


def test_defaults(monkeypatch):
    for name in ("_workflow_name_salter", "default_service_account"):
        monkeypatch.setattr(states, name, getattr(states, name))
    couler.config_defaults(name_salter=lambda name: f"{name}-salted", service_account="robot")
    couler.config_workflow(name="mine")
    workflow = couler.workflow_yaml()
    assert workflow["metadata"] == {"name": "mine-salted"}
    assert workflow["spec"]["entrypoint"] == "mine-salted" and workflow["spec"]["serviceAccountName"] == "robot"


def test_schedules():
    step()
    couler.config_workflow(cron_config={"schedule": "1 0 * * *"})
    workflow = couler.workflow_yaml()
    inner = workflow["spec"].pop("workflowSpec")
    assert workflow["kind"] == "CronWorkflow" and len(inner["templates"]) == 2
    assert workflow["spec"] == {
        "schedule": "1 0 * * *",
        "concurrencyPolicy": "Allow",
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
        "startingDeadlineSeconds": 10,
        "suspend": "false",
        "timezone": "Asia/Shanghai",
    }


CLUSTERS = [
    ("of the new form", "def config_pod(self, template): return {**template, 'seen': 1}", 1),
    ("of the old form", "def config_pod(self, template, pool, enable_ulogfs): return {**template, 'seen': pool}", "p"),
    ("with more of its own", "def config_pod(self, template, pool, enable_ulogfs, more=1): return {**template, 'seen': pool}", "p"),
    ("that is static", "@staticmethod\n    def config_pod(template): return {**template, 'seen': 2}", 2),
]


@pytest.mark.parametrize("method, seen", [row[1:] for row in CLUSTERS], ids=[row[0] for row in CLUSTERS])
def test_clusters(tmp_path, monkeypatch, method, seen):
    monkeypatch.setenv("couler_cluster_config", "")
    path = tmp_path / "cluster.py"
    path.write_text(f"class Cluster:\n    {method}\n    def config_workflow(self, spec): return {{**spec, 'hostNetwork': True}}\ncluster = Cluster()\n")
    couler.config_workflow(cluster_config_file=str(path))
    couler.run_container(image="i", command="c", pool="p")
    spec = couler.workflow_yaml()["spec"]
    assert spec["hostNetwork"] is True
    assert [template.get("seen") for template in spec["templates"]] == [None, seen]


BAD_CLUSTERS = [
    ("no cluster", "x = 1", "has no object `cluster`"),
    ("a method that takes too much", "class C:\n    def config_pod(self, a, b, c, d): return a\ncluster = C()", "has to take (self, template)"),
    ("a method that returns nothing", "class C:\n    def config_pod(self, a): pass\ncluster = C()", "has to return what it was given"),
]


@pytest.mark.parametrize("text, said", [row[1:] for row in BAD_CLUSTERS], ids=[row[0] for row in BAD_CLUSTERS])
def test_bad_clusters(tmp_path, monkeypatch, text, said):
    monkeypatch.setenv("couler_cluster_config", "")
    path = tmp_path / "cluster.py"
    path.write_text(text)
    with pytest.raises(ValueError) as refused:
        couler.config_workflow(cluster_config_file=str(path))
        step()
        couler.workflow_yaml()
    assert said in str(refused.value)


# What it is about, a part of a document as Couler writes it, the part as it is submitted.
FORMS = [
    ("references lose their quotes", {"args": ['"{{inputs.parameters.a}}"']}, {"args": ["{{inputs.parameters.a}}"]}),
    ("so do numbers and bool", {"value": "'1'", "other": "'True'", "third": "'-1.5e-07'"}, {"value": "1", "other": "True", "third": "-1.5e-07"}),
    ("and paths", {"jsonPath": '"{.metadata.name}"', "jqFilter": '"."'}, {"jsonPath": "{.metadata.name}", "jqFilter": "."}),
    ("what a program quotes stays", {"args": ['"text"', "'text'", 'say "{{inputs.parameters.a}}"', '"{{a}} {{b}}"']}, {"args": ['"text"', "'text'", 'say "{{inputs.parameters.a}}"', '"{{a}} {{b}}"']}),
    ("texts stay texts", {"value": "1", "other": "true"}, {"value": "1", "other": "true"}),
]


@pytest.mark.parametrize("part, form", [row[1:] for row in FORMS], ids=[row[0] for row in FORMS])
def test_quotes(part, form):
    document = {"kind": "Workflow", "spec": {"templates": [{"name": "t", "part": part}]}}
    assert submitted(document)["spec"]["templates"][0]["part"] == form
    assert document["spec"]["templates"][0]["part"] == part, "it is a copy"


def test_fields_that_argo_has_replaced():
    document = {
        "kind": "CronWorkflow",
        "spec": {
            "schedule": "* * * * *",
            "suspend": "true",
            "workflowSpec": {"ttlSecondsAfterFinished": 90.0, "activeDeadlineSeconds": 60.0, "templates": [{"name": "t", "resource": {"setOwnerReference": "true"}}]},
        },
    }
    assert submitted(document)["spec"] == {
        "schedules": ["* * * * *"],
        "suspend": True,
        "workflowSpec": {"ttlStrategy": {"secondsAfterCompletion": 90}, "activeDeadlineSeconds": 60, "templates": [{"name": "t", "resource": {"setOwnerReference": True}}]},
    }
