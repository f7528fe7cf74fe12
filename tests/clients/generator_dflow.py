"""dflow (pydflow): operators are classes of Python, called by scripts that it writes; parameters, files and one for each item of a list.

It puts this file into the store that S3_ENDPOINT names, which is the plane's repository too, and submits to Argo's API.
"""

import os
from pathlib import Path

from dflow import Step, Workflow, argo_range, config, s3_config
from dflow.python import OP, OPIO, Artifact, OPIOSign, Parameter, PythonOPTemplate, Slices

CONFIG = """
artifactRepository:
  s3:
    endpoint: ENDPOINT
    bucket: data
    insecure: true
    accessKeySecret: {name: keys, key: access}
    secretKeySecret: {name: keys, key: secret}
"""
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"access": "one", "secret": "two"}}


class Square(OP):
    @classmethod
    def get_input_sign(cls):
        return OPIOSign({"number": Parameter(int)})

    @classmethod
    def get_output_sign(cls):
        return OPIOSign({"square": Parameter(int), "file": Artifact(Path)})

    @OP.exec_sign_check
    def execute(self, op_in):
        Path("square.txt").write_text(str(op_in["number"] ** 2))
        return OPIO({"square": op_in["number"] ** 2, "file": Path("square.txt")})


class Total(OP):
    @classmethod
    def get_input_sign(cls):
        return OPIOSign({"square": Parameter(int), "file": Artifact(Path)})

    @classmethod
    def get_output_sign(cls):
        return OPIOSign({"total": Parameter(int)})

    @OP.exec_sign_check
    def execute(self, op_in):
        return OPIO({"total": op_in["square"] + int(op_in["file"].read_text())})


def squares():
    workflow = Workflow(name="squares")
    many = Step("many", PythonOPTemplate(Square, image="python:3.11", slices=Slices("{{item}}", input_parameter=["number"])),
                parameters={"number": [1, 2, 3]}, with_param=argo_range(3))
    one = Step("one", PythonOPTemplate(Square, image="python:3.11"), parameters={"number": 5})
    total = Step("total", PythonOPTemplate(Total, image="python:3.11"), parameters={"square": one.outputs.parameters["square"]},
                 artifacts={"file": one.outputs.artifacts["file"]})
    workflow.add([many, one])
    workflow.add(total)
    return workflow


if __name__ == "__main__":
    import tiphys  # steps import this file, from an image that has no tiphys

    endpoint = os.environ["S3_ENDPOINT"]
    Path("config.yaml").write_text(CONFIG.replace("ENDPOINT", endpoint))
    s3_config.update(endpoint=endpoint, access_key="one", secret_key="two", bucket_name="data", secure=False)
    # Its own package is in the image, which here is this environment.
    config["upload_dflow"] = False
    with tiphys.Server(runtime="process", config="config.yaml") as server:
        server.http.ask("POST", "/api/v1/namespaces/default/secrets", body=SECRET)
        config.update(host=server.url, token=server.token, namespace="default", k8s_api_server=server.url)
        workflow = squares()
        workflow.submit()
        run = server.get(workflow.id).wait(240)
        (total,) = workflow.query_step(name="total")
        assert total.outputs.parameters["total"].value == 50, total
        assert [each.phase for each in workflow.query_step(type="Pod")] == ["Succeeded"] * len(workflow.query_step(type="Pod"))
    print("done")
