#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "artifact/file_tree.h"
#include "artifact/input.h"
#include "base/beneath.h"
#include "base/unique_fd.h"
#include "doc/truth.h"
#include "node/agent/pod_files.h"
#include "node/agent/write_file.h"

namespace tiphys::node {
namespace {

namespace fs = std::filesystem;

std::optional<mode_t> mode_of(const doc::Value& entry) {
  const doc::Value* mode = doc::find(entry, "mode");
  return mode && mode->is_int64() ? std::optional(static_cast<mode_t>(mode->get_int64()) & 07777) : std::nullopt;
}

/// Where inputs come from.
struct Sources {
  const artifact::Stores& stores;
  const artifact::Credentials& credentials;
};

/// All of a folder where that is asked for, but for symbolic links.
Status set_mode(const std::string& target, mode_t mode, bool recurse) {
  if (::chmod(target.c_str(), mode) != 0) return fail_errno(fmt::format("chmod {}", target), errno);
  std::error_code error;
  if (!recurse || !fs::is_directory(target, error)) return {};
  for (fs::recursive_directory_iterator at(target, error), end; !error && at != end; at.increment(error)) {
    if (at->is_symlink()) continue;
    if (::chmod(at->path().c_str(), mode) != 0) return fail_errno(fmt::format("chmod {}", at->path().string()), errno);
  }
  if (error) return fail_errno(target, error.value());
  return {};
}

Status stage_artifact(const doc::Value& wanted, const std::string& target, const Sources& sources,
                      StagedInputs& staged) {
  const std::string_view name = doc::find_string(wanted, "name");
  const std::string_view path = doc::find_string(wanted, "path");
  if (path.empty()) return {};
  if (Status loaded = artifact::load_input(wanted, target, sources.stores, sources.credentials); !loaded) {
    if (loaded.error().code == Code::kNotFound && doc::is_true(wanted, "optional")) return {};
    return std::unexpected(loaded.error().in(fmt::format("artifact {} failed to load", name)));
  }
  if (const auto mode = mode_of(wanted)) TIPHYS_CHECK_OK(set_mode(target, *mode, doc::is_true(wanted, "recurseMode")));
  staged.emplace_back(path, target);
  return {};
}

/// A path of the container that is below one of its mounts.
struct PathInVolume {
  std::string top;    ///< of the volume, on this host
  std::string below;  ///< relative to it
};

std::optional<PathInVolume> path_in_volume(const std::vector<Mount>& mounts, const std::string& path) {
  const Mount* deepest = nullptr;
  std::string deepest_path;
  for (const Mount& mount : mounts) {
    std::string folder = fs::path(mount.path).lexically_normal().string();
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    const bool inside = path.starts_with(folder == "/" ? folder : folder + "/");
    if (!inside || (deepest && folder.size() <= deepest_path.size())) continue;
    deepest = &mount;
    deepest_path = std::move(folder);
  }
  if (!deepest) return std::nullopt;
  return PathInVolume{deepest->host_path, path.substr(deepest_path == "/" ? 1 : deepest_path.size() + 1)};
}

/// An earlier step may have filled the volume: its links do not lead out of it.
Status copy_to(const std::string& from, const PathInVolume& to) {
  const fs::path below(to.below);
  TIPHYS_TRY(const UniqueFd opened, make_folder_beneath(to.top, below.parent_path().string()));
  TIPHYS_TRY(UniqueFd tree, artifact::open_tree(from));
  const UniqueFd folder(::openat(opened.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail_errno(to.below, errno);
  TIPHYS_CHECK_OK(artifact::remove_tree(folder.get(), below.filename()));
  return artifact::copy_tree(std::move(tree), from, folder.get(), below.filename(), false);
}

}  // namespace

Status put_into_volumes(const std::vector<Mount>& mounts, StagedInputs& staged) {
  StagedInputs rest;
  for (auto& [path, from] : staged) {
    const std::string normal = fs::path(path).lexically_normal().string();
    const auto to = path_in_volume(mounts, normal.ends_with('/') ? normal.substr(0, normal.size() - 1) : normal);
    if (!to) {
      rest.emplace_back(path, from);
    } else if (Status copied = copy_to(from, *to); !copied) {
      return std::unexpected(copied.error().in(fmt::format("input {}", path)));
    }
  }
  staged = std::move(rest);
  return {};
}

std::vector<doc::Value> artifact_locations(std::string_view annotation) {
  std::vector<doc::Value> locations;
  const auto parsed = doc::parse_json(annotation);
  for (const std::string_view list : {"artifacts", "logs"}) {
    const doc::Value* artifacts = parsed ? doc::find(*parsed, list) : nullptr;
    if (!artifacts || !artifacts->is_array()) continue;
    for (const doc::Value& wanted : artifacts->get_array()) {
      const doc::Value* location = doc::find(wanted, "location");
      if (!location) location = doc::find(wanted, "place");
      if (location) locations.push_back(*location);
    }
  }
  return locations;
}

Result<Staged> stage_inputs(std::string_view annotation, const std::string& dir, const artifact::Stores& stores,
                            const artifact::Credentials& credentials) {
  const Sources sources{stores, credentials};
  Staged made;
  StagedInputs& staged = made.inputs;
  if (annotation.empty()) return made;
  TIPHYS_TRY(const doc::Value inputs, doc::parse_json(annotation));
  std::error_code error;
  fs::create_directories(dir, error);
  if (error) return fail_errno(fmt::format("make {}", dir), error.value());
  if (const doc::Value* files = doc::find(inputs, "files"); files && files->is_array()) {
    for (const doc::Value& file : files->get_array()) {
      const std::string target = fmt::format("{}/file-{}", dir, staged.size());
      TIPHYS_CHECK_OK(write_file(target, doc::find_string(file, "content"), mode_of(file).value_or(0644)));
      staged.emplace_back(doc::find_string(file, "path"), target);
    }
  }
  if (const doc::Value* artifacts = doc::find(inputs, "artifacts"); artifacts && artifacts->is_array()) {
    for (std::size_t i = 0; i < artifacts->get_array().size(); ++i) {
      TIPHYS_CHECK_OK(
          stage_artifact(artifacts->get_array()[i], fmt::format("{}/artifact-{}", dir, i), sources, staged));
    }
  }
  if (const doc::Value* names = doc::find(inputs, "mirrored"); names && names->is_array()) {
    for (const doc::Value& name : names->get_array()) made.mirrored.push_back(doc::scalar_text(name));
  }
  return made;
}

}  // namespace tiphys::node
