// Files of variables that init containers write for later containers (fileKeyRef), in the format of Kubernetes 1.35's
// kubelet, which is what a POSIX shell would read: lines NAME='value', in which nothing is an escape.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "doc/value.h"
#include "node/agent/pod_spec.h"

namespace tiphys::node {

/// The value of `key`, "" when the file has none. Lines after the one that has it are not looked at; an error names the
/// first line before it that is no variable.
Result<std::string> env_file_value(std::string_view text, std::string_view key);

bool is_from_file(const doc::Value& variable);
/// Whether a variable of the container comes from a file.
bool has_file_keys(const doc::Value& container);

/// What the files say now. Symbolic links do not lead out of a volume, which a container may have filled. An error has
/// a kubelet's message.
Result<FileValues> read_file_keys(const doc::Value& container, const HostVolumes& volumes);

/// The same, but as it was when it was first asked for of this `path`: a container that is adopted may have changed its
/// files since. `path` is written then.
Result<FileValues> keep_file_keys(const doc::Value& container, const HostVolumes& volumes, const std::string& path);

}  // namespace tiphys::node
