"""Couler's interface for current Pythons. Programs change their import at most: `import tiphys.couler.argo as couler`.

docs/couler.md tells of it, and of what differs.
"""

from tiphys.couler.argo import *  # noqa: F403
from tiphys.couler.argo import __all__ as __all__
