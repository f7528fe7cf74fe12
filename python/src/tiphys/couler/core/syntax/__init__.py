"""What programs say beside steps."""

from tiphys.couler.core.syntax.concurrent import concurrent
from tiphys.couler.core.syntax.conditional import when
from tiphys.couler.core.syntax.dag import dag, set_dependencies
from tiphys.couler.core.syntax.dns import set_dns
from tiphys.couler.core.syntax.exit_handler import set_exit_handler
from tiphys.couler.core.syntax.image_pull_secret import add_image_pull_secret
from tiphys.couler.core.syntax.loop import map
from tiphys.couler.core.syntax.predicates import bigger, bigger_equal, equal, not_equal, smaller, smaller_equal
from tiphys.couler.core.syntax.recursion import exec_while
from tiphys.couler.core.syntax.toleration import add_toleration
from tiphys.couler.core.syntax.volume import add_volume, create_workflow_volume

__all__ = [
    "add_image_pull_secret",
    "add_toleration",
    "add_volume",
    "bigger",
    "bigger_equal",
    "concurrent",
    "create_workflow_volume",
    "dag",
    "equal",
    "exec_while",
    "map",
    "not_equal",
    "set_dependencies",
    "set_dns",
    "set_exit_handler",
    "smaller",
    "smaller_equal",
    "when",
]
