// Which commands an interpreter that is kept runs just as a new one would.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::node {

/// True of `python [-u] FILE|-c CODE|-m MODULE [ARGUMENT...]`, python3 and python3.11 too, with an environment from
/// which an interpreter takes nothing as it starts, but for what a fork can make up for. `with_modules` tells whether
/// it has imported more than the standard library: libraries that compute read how many threads they may have.
bool is_forked_alike(const std::vector<std::string>& argv, const std::vector<std::string>& env, bool with_modules);

/// The program that a step runs by this name, of programs of this host: `name` itself, or what is first in PATH. Empty
/// when the host has none there, or a folder of the PATH is not `seen` by steps as the host has it.
template <typename Seen, typename Exists>
std::string program_of(std::string_view name, std::string_view path, Seen seen, Exists exists) {
  if (name.find('/') != std::string_view::npos) {
    return name.starts_with('/') && seen(name) && exists(std::string(name)) ? std::string(name) : "";
  }
  while (!path.empty()) {
    const std::string_view folder = path.substr(0, path.find(':'));
    path.remove_prefix(std::min(path.size(), folder.size() + 1));
    std::string program = std::string(folder) + "/" + std::string(name);
    if (!seen(program)) return {};
    if (exists(program)) return program;
  }
  return {};
}

}  // namespace tiphys::node
