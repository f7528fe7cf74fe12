"""What steps leave and find: parameters in files, and files in stores."""

from __future__ import annotations

from typing import Any, Optional

from tiphys.couler.core import location, session
from tiphys.couler.core.constants import ArtifactType
from tiphys.couler.core.templates.secret import Secret

Document = dict[str, Any]


class Artifact:
    """A parameter that a step writes to a file; is_global: other templates find it as the workflow's."""

    def __init__(self, path: str, type: Optional[str] = None, is_global: bool = False) -> None:
        self.id = f"output-id-{location.locate().own_line}"
        self.path, self.type, self.is_global = path, type, is_global

    def to_yaml(self) -> Document:
        declared: Document = {"name": self.id, "valueFrom": {"path": self.path}}
        return {**declared, "globalName": f"global-{self.id}"} if self.is_global else declared


class TypedArtifact(Artifact):
    """A file of a step, and the object of a store that it is: read and written like a local file."""

    def __init__(
        self,
        artifact_type: str,
        path: str,
        accesskey_id: Optional[str] = None,
        accesskey_secret: Optional[str] = None,
        bucket: Optional[str] = None,
        key: Optional[str] = None,
        endpoint: Optional[str] = "",
        is_global: bool = False,
        insecure: bool = False,
    ) -> None:
        self.id = f"output-{artifact_type}-{session.next_id()}"
        self.type, self.path, self.is_global = artifact_type, path, is_global
        self.bucket, self.key, self.endpoint, self.insecure = bucket, key, endpoint, insecure
        self.secret: Optional[str] = None
        if accesskey_id and accesskey_secret:
            secret = Secret("default", {"accessKey": accesskey_id, "secretKey": accesskey_secret}, artifact_secret=True)
            self.secret = session.add_secret(secret)

    def to_yaml(self) -> Document:
        declared: Document = {"name": self.id, "path": self.path}
        if self.type != ArtifactType.LOCAL:
            declared[str(self.type)] = self._place()
        return {**declared, "globalName": f"global-{self.id}"} if self.is_global else declared

    def _place(self) -> Document:
        place: Document = {}
        if self.key is not None:
            place["key"] = self.key
        if self.secret is not None:
            place["accessKeySecret"] = {"name": self.secret, "key": "accessKey"}
            place["secretKeySecret"] = {"name": self.secret, "key": "secretKey"}
        if self.bucket is not None:
            place["bucket"] = self.bucket
        if self.endpoint:
            place["endpoint"] = self.endpoint
        if self.insecure:
            place["insecure"] = True
        return place


class LocalArtifact(TypedArtifact):
    """A file that the workflow's own repository keeps."""

    def __init__(self, path: str, is_global: bool = False) -> None:
        super().__init__(ArtifactType.LOCAL, path, is_global=is_global)


class S3Artifact(TypedArtifact):
    def __init__(
        self,
        path: str,
        accesskey_id: Optional[str],
        accesskey_secret: Optional[str],
        bucket: Optional[str],
        key: Optional[str] = None,
        endpoint: Optional[str] = "s3.amazonaws.com",
        is_global: bool = False,
        insecure: bool = False,
    ) -> None:
        super().__init__(ArtifactType.S3, path, accesskey_id, accesskey_secret, bucket, key, endpoint, is_global, insecure)


class OssArtifact(TypedArtifact):
    def __init__(
        self,
        path: str,
        accesskey_id: Optional[str],
        accesskey_secret: Optional[str],
        bucket: Optional[str],
        key: Optional[str] = None,
        endpoint: Optional[str] = "http://oss-cn-hangzhou-zmf.aliyuncs.com",
        is_global: bool = False,
    ) -> None:
        super().__init__(ArtifactType.OSS, path, accesskey_id, accesskey_secret, bucket, key, endpoint, is_global)
