"""Steps: a container, a script, an object of Kubernetes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from tiphys.couler.core import job_environment, scope, session, states, utils
from tiphys.couler.core.constants import OVERWRITE_GPU_ENVS
from tiphys.couler.core.container_options import DEFAULTS, ContainerOptions
from tiphys.couler.core.location import Call, locate
from tiphys.couler.core.manifest import parse, with_environment
from tiphys.couler.core.step_update_utils import distinct_name, update_step
from tiphys.couler.core.templates import arguments
from tiphys.couler.core.templates.cache import Cache
from tiphys.couler.core.templates.container import Container, output_mounts
from tiphys.couler.core.templates.job import Job
from tiphys.couler.core.templates.output import Output, OutputArtifact, container_outputs, job_outputs, script_outputs
from tiphys.couler.core.templates.script import Script
from tiphys.couler.core.templates.secret import Secret
from tiphys.couler.core.unknown_arguments import told, told_with
from tiphys.couler.core.utils import did_you_mean

if TYPE_CHECKING:
    from typing_extensions import Unpack

Document = dict[str, Any]


@told_with(DEFAULTS)
def run_container(
    image: str,
    command: Any = None,
    args: Any = None,
    output: Any = None,
    input: Any = None,
    env: Optional[dict[str, Any]] = None,
    env_from: Optional[list[Document]] = None,
    *,
    parallelism: Optional[int] = None,
    **options: Unpack[ContainerOptions],
) -> list[Output]:
    """A step that runs a container. Gives references to what the step will have made."""
    make = _maker(Container, image, command, env, output, input, options, {"env_from": env_from, "parallelism": parallelism})
    return _container_step(make, args, options.get("step_name"), container_outputs)


@told_with(DEFAULTS)
def run_script(
    image: str,
    command: Any = None,
    source: Union[None, str, Callable[..., Any]] = None,
    args: Any = None,
    output: Any = None,
    input: Any = None,
    env: Optional[dict[str, Any]] = None,
    **options: Unpack[ContainerOptions],
) -> list[Output]:
    """A step that runs a script: the body of a Python function, or a text for `command`. Its last output is what it prints."""
    if source is None:
        raise ValueError("run_script needs source=: the function whose body is the script, or its text")
    make = _maker(Script, image, command, env, output, input, options, {"source": source})
    return _container_step(make, args, options.get("step_name"), script_outputs)


@told
def run_job(
    manifest: str,
    success_condition: Optional[str],
    failure_condition: Optional[str],
    timeout: Optional[float] = None,
    retry: Optional[int] = None,
    step_name: Optional[str] = None,
    pool: Any = None,
    env: Optional[dict[str, Any]] = None,
    set_owner_reference: bool = True,
    action: str = "create",
    cache: Optional[Cache] = None,
) -> list[Output]:
    """A step that makes an object of Kubernetes and waits for a condition on it. env: becomes the manifest's spec.env."""
    if manifest is None:
        raise ValueError("run_job needs manifest=: the text of the object that it makes")
    name, call = _template_name(step_name)
    environment = job_environment.of(name, env, scope.current.inherited)
    if states.workflow.get_template(name) is None:
        declared = arguments.inputs(name, environment.args)
        text = manifest if env is None else with_environment(parse(manifest), environment.entries)
        job = Job(name, declared, action, text, set_owner_reference, success_condition, failure_condition, timeout, retry, pool, cache)
        states.workflow.add_template(job)
    step = update_step(name, environment.args, step_name, call)
    returned = job_outputs(step, name)
    session.steps_outputs[step] = returned
    return returned


def run_canned_step(name: str, args: Any, inputs: Any = None, outputs: Any = None, step_name: Optional[str] = None, cache: Any = None) -> None:
    """Couler's Go submitter alone knows canned steps."""
    raise NotImplementedError(f"step {name!r} is canned: only Couler's submitter in Go knows what it does; write it with run_container, run_script or run_job")


Make = Callable[[str, Optional[list[Any]]], Container]


def _maker(
    kind: Callable[..., Container],
    image: str,
    command: Any,
    env: Optional[dict[str, Any]],
    output: Any,
    input: Any,
    options: ContainerOptions,
    own: Document,
) -> Make:
    """Makes the template, given its name and arguments; `own` is what this kind of template takes alone."""
    shared = {name: value for name, value in options.items() if name != "step_name"}

    def make(name: str, args: Optional[list[Any]]) -> Container:
        outputs, mounts = utils.make_list_if_not(output), options.get("volume_mounts")
        given = {
            **shared,
            **own,
            "name": name,
            "image": image,
            "command": command,
            "args": args,
            "env": _environment(env, options.get("resources")),
            "secret": _secret(options.get("secret")),
            "output": outputs,
            "input": [*(utils.make_list_if_not(input) or []), *(each for each in args or [] if isinstance(each, OutputArtifact))],
            "volume_mounts": mounts if outputs is None else output_mounts(outputs, mounts),
        }
        return kind(**given)

    return make


def _container_step(
    make: Make, args: Any, step_name: Optional[str], outputs_of: Callable[[str, str, Optional[Document]], list[Output]]
) -> list[Output]:
    name, call = _template_name(step_name)
    given = arguments.argument_list(args)
    if scope.current.inherited is not None:
        given = [*(given or []), *scope.current.inherited]
    made, template = make(name, given), states.workflow.get_template(name)
    if template is None:
        states.workflow.add_template(made)
        template = made
    else:
        _compare(template, made)
    step = update_step(name, given, step_name, call)
    returned = outputs_of(step, name, template.to_dict().get("outputs"))
    session.steps_outputs[step] = returned
    return returned


def _template_name(step_name: Optional[str]) -> tuple[str, Call]:
    call = locate()
    if step_name is not None:
        if not isinstance(step_name, str) or not step_name:
            raise ValueError(f"step_name has to be a name, not {step_name!r}")
        return utils.argo_safe_name(step_name) or "", call
    if not call.anonymous:
        return call.function, call
    # Each lambda is a template of its own.
    return distinct_name(utils.invocation_name(call.function, call.own_line), states.workflow.templates), call


def _environment(env: Optional[dict[str, Any]], resources: Optional[dict[str, Any]]) -> Optional[dict[str, Any]]:
    if not states._overwrite_nvidia_gpu_envs or utils.gpu_requested(resources):
        return env
    return {**(env or {}), **OVERWRITE_GPU_ENVS}


def _secret(secret: Any) -> Optional[Secret]:
    if secret is None or isinstance(secret, Secret):
        return secret
    found = states.get_secret(secret)
    if found is None:
        raise ValueError(f"there is no secret {secret!r}: pass what couler.create_secret or couler.obtain_secret returned{did_you_mean(secret, session.secrets)}")
    return found


def _compare(kept: Any, made: Container) -> None:
    """The first call of a function makes the template, and later ones only pass other arguments: what else they say is lost."""
    if not isinstance(kept, Container):
        raise ValueError(f"template {made.name!r} is no container's: give the step another name, by step_name=")
    if len(kept.args or []) != len(made.args or []):
        raise ValueError(
            f"template {made.name!r} was made with {len(kept.args or [])} argument(s), now there are {len(made.args or [])}: "
            "give steps that take other arguments another name, by step_name="
        )
    for field in ("image", "command", "source", "env", "resources"):
        if getattr(kept, field, None) != getattr(made, field, None):
            warnings.warn(
                f"template {made.name!r} exists with another {field}, which stays: to run a step with this one, give it another name, by step_name=",
                stacklevel=5,  # the function that calls run_container
            )
