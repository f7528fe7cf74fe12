"""What a manifest may say: explain, and the JSON schema for editors."""

import json
import pathlib
import re

import pytest
import yaml

from cli_support import cli

ROOT = pathlib.Path(__file__).resolve().parents[2]


def problems(schema, root, value, where=""):
    """What a JSON schema has against a value: the keywords that ours uses."""
    if "$ref" in schema:
        return problems(root["definitions"][schema["$ref"].rsplit("/", 1)[1]], root, value, where)
    found = []
    types = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
    wanted = schema.get("type", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    fits = [isinstance(value, types[name]) and (name == "boolean" or not isinstance(value, bool)) for name in wanted]
    if wanted and not any(fits):
        return [f"{where} is no {wanted}"]
    if "const" in schema and value != schema["const"] or "enum" in schema and value not in schema["enum"]:
        found.append(f"{where} may not be {value!r}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{where} does not match {schema['pattern']}")
    if "not" in schema and not problems(schema["not"], root, value, where):
        found.append(f"{where} is not taken")
    for each in schema.get("allOf", []):
        found += problems(each, root, value, where)
    if "if" in schema and not problems(schema["if"], root, value, where):
        found += problems(schema["then"], root, value, where)
    choices = [problems(each, root, value, where) for each in schema.get("anyOf", [])]
    if choices and all(choices):
        found += choices[0]
    if isinstance(value, dict):
        found += [f"{where} lacks {name}" for name in schema.get("required", []) if name not in value]
        for name, member in value.items():
            rest = schema.get("additionalProperties", True)
            below = schema.get("properties", {}).get(name, rest)
            if below is False:
                found.append(f"{where}.{name} is unknown")
            elif below is not True:
                found += problems(below, root, member, f"{where}.{name}")
    if isinstance(value, list):
        for i, item in enumerate(value):
            found += problems(schema.get("items", {}), root, item, f"{where}[{i}]")
    return found


@pytest.fixture
def judge(cli):
    schema = json.loads(cli("schema").stdout)

    def problems_of(text):
        return [each for document in yaml.safe_load_all(text) for each in problems(schema, schema, document)]

    return problems_of


def test_the_schema_takes_our_examples(judge):
    examples = sorted(set((ROOT / "examples").glob("*.yaml")) - set((ROOT / "examples").glob("*.test.yaml")))
    assert len(examples) > 3
    for path in examples:
        assert judge(path.read_text()) == [], path.name


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("unknown-field", ".container.imgae is unknown"),
        ("not-supported-yet", "is not taken"),
        ("wrong-type", "is no "),
        ("wrong-kind", ".kind may not be"),
        ("wrong-api-version", ".apiVersion may not be"),
    ],
)
def test_the_schema_refuses(judge, name, problem):
    assert any(problem in each for each in judge((ROOT / "tests" / "bad" / f"{name}.yaml").read_text()))


def test_explain(cli):
    said = cli("explain", "workflowtemplate.spec.templates.retryStrategy").stdout
    assert said.startswith("KIND:     WorkflowTemplate\nVERSION:  argoproj.io/v1alpha1\n\nFIELD:    retryStrategy <RetryStrategy>\n")
    assert "  retryPolicy\t<string>\n" in said
    assert "    backoff\t<Backoff>\n      duration\t<string>\n" in cli("explain", "wf.spec.templates", "--recursive").stdout
    assert "did you mean \"templates\"?" in cli("explain", "wf.spec.tempaltes", code=2).stderr
    assert "KIND[.FIELD]... is missing" in cli("explain", code=2).stderr
