#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "base/log.h"
#include "node/agent/pod_spec.h"
#include "node/agent/write_file.h"

namespace tiphys::node {
namespace {

namespace fs = std::filesystem;

/// What the agent writes, and writes again, no container may: its links would lead those writes elsewhere on this host.
constexpr bool kOfTheAgent = true;

mode_t mode_of(const doc::Value& object, std::string_view field, mode_t fallback) {
  const doc::Value* mode = doc::find(object, field);
  return mode && mode->is_int64() ? static_cast<mode_t>(mode->get_int64()) & 07777 : fallback;
}

/// Items stay below the volume: no "..", no absolute path.
Status check_item_path(std::string_view path) {
  const fs::path parts(path);
  bool inside = !path.empty() && parts.is_relative();
  for (const auto& part : parts) inside = inside && part != "..";
  if (inside) return {};
  return fail(Code::kInvalidArgument, fmt::format("volume item path \"{}\" must be relative and without ..", path));
}

Status put(const std::string& folder, const std::string& path, const std::string& content, mode_t mode) {
  TIPHYS_CHECK_OK(check_item_path(path));
  const fs::path file = fs::path(folder) / path;
  TIPHYS_CHECK_OK(make_folder(file.parent_path(), 0755));
  return write_file(file, content, mode);
}

/// The keys of a ConfigMap or Secret as files.
Status project_keys(const doc::Value& source, const cluster::Key& key, const PodSources& sources, mode_t mode,
                    const std::string& folder) {
  const doc::Value* is_optional = doc::find(source, "optional");
  const bool optional = is_optional && is_optional->is_bool() && is_optional->get_bool();
  const auto* items = sources.find(key);
  if (!items) {
    if (optional) return {};
    return fail(Code::kNotFound, fmt::format("{} not found", source_name(key)));
  }
  const doc::Value* chosen = doc::find(source, "items");
  if (!chosen || !chosen->is_array()) {
    for (const auto& [name, content] : *items) TIPHYS_CHECK_OK(put(folder, name, content, mode));
    return {};
  }
  for (const doc::Value& item : chosen->get_array()) {
    const std::string name(doc::find_string(item, "key"));
    const auto it = items->find(name);
    if (it == items->end()) {
      if (optional) continue;
      return fail(Code::kNotFound, fmt::format("{} has no key \"{}\"", source_name(key), name));
    }
    TIPHYS_CHECK_OK(put(folder, std::string(doc::find_string(item, "path")), it->second, mode_of(item, "mode", mode)));
  }
  return {};
}

/// All labels or annotations, a line each, as a kubelet writes them.
std::string lines_of(const doc::Value* pairs) {
  std::map<std::string, std::string> sorted;
  if (pairs && pairs->is_object()) {
    for (const auto& [key, value] : pairs->get_object()) sorted[key] = doc::scalar_text(value);
  }
  std::string text;
  for (const auto& [key, value] : sorted) {
    text += fmt::format("{}{}={}", text.empty() ? "" : "\n", key, doc::to_json(doc::Value(value)));
  }
  return text;
}

/// Fields of the pod as files.
Status project_fields(const doc::Value& source, const doc::Value& pod, const PodPlace& place, mode_t mode,
                      const std::string& folder) {
  const doc::Value* items = doc::find(source, "items");
  if (!items || !items->is_array()) return {};
  for (const doc::Value& item : items->get_array()) {
    const std::string_view field = doc::find_string(item, "fieldRef", "fieldPath");
    std::string content;
    if (field == "metadata.labels" || field == "metadata.annotations") {
      content = lines_of(doc::find(pod, "metadata", field.substr(field.find('.') + 1)));
    } else if (const doc::Value* resource = doc::find(item, "resourceFieldRef")) {
      TIPHYS_TRY(content, resource_value(pod, *resource, "", place));
    } else {
      TIPHYS_TRY(content, field_value(pod, field, place));
    }
    TIPHYS_CHECK_OK(put(folder, std::string(doc::find_string(item, "path")), content, mode_of(item, "mode", mode)));
  }
  return {};
}

/// The member that says what a volume or a source is: "nfs".
std::string type_of(const doc::Value& volume) {
  for (const auto& [key, value] : volume.as_object()) {
    if (key != "name" && !value.is_null()) return std::string(key);
  }
  return "\"\"";
}

/// Several sources in one folder.
Status project_all(const doc::Value& projected, const doc::Value& pod, const PodSources& sources, const PodPlace& place,
                   const std::string& folder) {
  const doc::Value* list = doc::find(projected, "sources");
  if (!list || !list->is_array()) return {};
  const mode_t mode = mode_of(projected, "defaultMode", 0644);
  const std::string ns(doc::find_string(pod, "metadata", "namespace"));
  for (const doc::Value& one : list->get_array()) {
    if (const doc::Value* map = doc::find(one, "configMap")) {
      const cluster::Key key{&cluster::kConfigMaps, ns, std::string(doc::find_string(*map, "name"))};
      TIPHYS_CHECK_OK(project_keys(*map, key, sources, mode, folder));
    } else if (const doc::Value* secret = doc::find(one, "secret")) {
      const cluster::Key key{&cluster::kSecrets, ns, std::string(doc::find_string(*secret, "name"))};
      TIPHYS_CHECK_OK(project_keys(*secret, key, sources, mode, folder));
    } else if (const doc::Value* fields = doc::find(one, "downwardAPI")) {
      TIPHYS_CHECK_OK(project_fields(*fields, pod, place, mode, folder));
    } else if (const doc::Value* token = doc::find(one, "serviceAccountToken")) {
      if (!place.why_no_tokens.empty()) return fail(Code::kFailedPrecondition, place.why_no_tokens);
      TIPHYS_CHECK_OK(check_item_path(doc::find_string(*token, "path")));
    } else {
      return fail(Code::kUnimplemented,
                  fmt::format("only a cluster has the source {} of a projected volume; this machine has configMap, "
                              "secret, downwardAPI and serviceAccountToken",
                              type_of(one)));
    }
  }
  return {};
}

Result<std::string> host_path(const doc::Value& source) {
  std::string path(doc::find_string(source, "path"));
  const std::string_view type = doc::find_string(source, "type");
  if (!path.starts_with('/'))
    return fail(Code::kInvalidArgument, fmt::format("hostPath \"{}\" must be absolute", path));
  struct stat about{};
  const bool exists = ::stat(path.c_str(), &about) == 0;
  const auto mismatch = [&](std::string_view wanted) {
    return fail(Code::kFailedPrecondition, fmt::format("hostPath type check failed: {} is not a {}", path, wanted));
  };
  if (type == "DirectoryOrCreate" && !exists) {
    TIPHYS_CHECK_OK(make_folder(path, 0755));
  } else if (type == "FileOrCreate" && !exists) {
    TIPHYS_CHECK_OK(write_file(path, "", 0644));
  } else if (type.starts_with("Directory") && !(exists && S_ISDIR(about.st_mode))) {
    return mismatch("directory");
  } else if (type.starts_with("File") && !(exists && S_ISREG(about.st_mode))) {
    return mismatch("file");
  } else if (type == "Socket" && !(exists && S_ISSOCK(about.st_mode))) {
    return mismatch("socket");
  } else if (type.empty() && !exists) {
    // As Docker's binds do: a missing path becomes a folder.
    TIPHYS_CHECK_OK(make_folder(path, 0755));
  }
  return path;
}

/// The folder of a claim. One without an object stays Pending in a cluster; here nobody else could make it.
Result<HostVolume> claimed(const doc::Value& source, const std::string& ns, const PodSources& sources,
                           const PodPlace& place) {
  const cluster::Key key{&cluster::kPersistentVolumeClaims, ns, std::string(doc::find_string(source, "claimName"))};
  const auto claim = sources.claims().find(key);
  if (claim == sources.claims().end()) {
    return fail(Code::kNotFound, fmt::format("persistentvolumeclaim \"{}\" not found", key.name));
  }
  HostVolume volume{fmt::format("{}/{}", place.claims_dir, claim->second)};
  const doc::Value* read_only = doc::find(source, "readOnly");
  volume.read_only = read_only && read_only->is_bool() && read_only->get_bool();
  TIPHYS_CHECK_OK(make_folder(volume.path, 0777));
  return volume;
}

Result<HostVolume> make_volume(const doc::Value& pod, const doc::Value& volume, const PodSources& sources,
                               const PodPlace& place) {
  const std::string_view name = doc::find_string(volume, "name");
  std::string folder = volume_folder(place, name);
  const std::string ns(doc::find_string(pod, "metadata", "namespace"));
  if (const doc::Value* source = doc::find(volume, "hostPath")) {
    TIPHYS_TRY(std::string path, host_path(*source));
    return HostVolume{std::move(path)};
  }
  if (const doc::Value* source = doc::find(volume, "persistentVolumeClaim")) {
    return claimed(*source, ns, sources, place);
  }
  const auto mode = [](const doc::Value& source) { return mode_of(source, "defaultMode", 0644); };
  if (const doc::Value* source = doc::find(volume, "configMap")) {
    const cluster::Key key{&cluster::kConfigMaps, ns, std::string(doc::find_string(*source, "name"))};
    TIPHYS_CHECK_OK(make_folder(folder, 0755));
    TIPHYS_CHECK_OK(project_keys(*source, key, sources, mode(*source), folder));
    return HostVolume{folder, kOfTheAgent};
  }
  if (const doc::Value* source = doc::find(volume, "secret")) {
    const cluster::Key key{&cluster::kSecrets, ns, std::string(doc::find_string(*source, "secretName"))};
    TIPHYS_CHECK_OK(make_folder(folder, 0755));
    TIPHYS_CHECK_OK(project_keys(*source, key, sources, mode(*source), folder));
    return HostVolume{folder, kOfTheAgent};
  }
  if (const doc::Value* source = doc::find(volume, "downwardAPI")) {
    TIPHYS_CHECK_OK(make_folder(folder, 0755));
    TIPHYS_CHECK_OK(project_fields(*source, pod, place, mode(*source), folder));
    return HostVolume{folder, kOfTheAgent};
  }
  if (const doc::Value* source = doc::find(volume, "projected")) {
    TIPHYS_CHECK_OK(make_folder(folder, 0755));
    TIPHYS_CHECK_OK(project_all(*source, pod, sources, place, folder));
    return HostVolume{folder, kOfTheAgent};
  }
  if (doc::find(volume, "emptyDir") || doc::find(volume, "ephemeral")) {
    TIPHYS_CHECK_OK(make_folder(folder, 0777));
    return HostVolume{folder};
  }
  return fail(Code::kUnimplemented,
              fmt::format("only a cluster mounts a volume of type {}; this machine has emptyDir, ephemeral, hostPath, "
                          "persistentVolumeClaim, configMap, secret, downwardAPI and projected",
                          type_of(volume)));
}

}  // namespace

std::string volume_folder(const PodPlace& place, std::string_view volume) {
  return fmt::format("{}/volumes/{}", place.dir, volume);
}

Result<HostVolumes> make_volumes(const doc::Value& pod, const PodSources& sources, const PodPlace& place) {
  HostVolumes made;
  const doc::Value* volumes = doc::find(pod, "spec", "volumes");
  if (!volumes || !volumes->is_array()) return made;
  for (const doc::Value& volume : volumes->get_array()) {
    const std::string name(doc::find_string(volume, "name"));
    TIPHYS_CHECK_OK(check_item_path(name));
    auto path = make_volume(pod, volume, sources, place);
    if (!path) return std::unexpected(path.error().in(fmt::format("MountVolume.SetUp failed for volume \"{}\"", name)));
    made.emplace(name, std::move(*path));
  }
  return made;
}

void remove_secret_volumes(const doc::Value& pod, const PodPlace& place) {
  const doc::Value* volumes = doc::find(pod, "spec", "volumes");
  if (!volumes || !volumes->is_array()) return;
  for (const doc::Value& volume : volumes->get_array()) {
    const std::string_view name = doc::find_string(volume, "name");
    const bool shows = doc::find(volume, "secret") || doc::find(volume, "projected");
    if (!shows || !check_item_path(name)) continue;
    std::error_code error;
    std::filesystem::remove_all(volume_folder(place, name), error);
    if (error) log::warn("secrets remain in {}: {}", volume_folder(place, name), error.message());
  }
}

}  // namespace tiphys::node
