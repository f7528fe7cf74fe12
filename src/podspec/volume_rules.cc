#include <algorithm>

#include "podspec/parts.h"

namespace tiphys::podspec {
namespace {

using schema::FieldErrors;
using schema::Path;

constexpr std::int64_t kMostFileMode = 0777;

void require(const doc::Value& object, std::string_view key, const Path& at, FieldErrors& errors) {
  if (doc::find_string(object, key).empty()) errors.push_back(schema::required(at.field(key).text()));
}

void check_mode(const doc::Value& object, std::string_view key, const Path& at, FieldErrors& errors) {
  if_there(object, key, at, [&](const doc::Value& mode, const Path& here) {
    if (!mode.is_int64() || (mode.get_int64() >= 0 && mode.get_int64() <= kMostFileMode)) return;
    errors.push_back(schema::invalid(here.text(), mode, "must be a number between 0 and 0777 (octal), both inclusive"));
  });
}

void check_items(const doc::Value& source, const Path& at, FieldErrors& errors) {
  check_mode(source, "defaultMode", at, errors);
  each_element(source, "items", at, [&](const doc::Value& item, const Path& here) {
    require(item, "key", here, errors);
    require(item, "path", here, errors);
    check_mode(item, "mode", here, errors);
  });
}

void check_host_path(const doc::Value& source, const Path& at, FieldErrors& errors) {
  const auto path = doc::find_string(source, "path");
  require(source, "path", at, errors);
  if (has_dots(path)) {
    errors.push_back(schema::invalid(at.field("path").text(), doc::Value(path), "must not contain '..'"));
  }
  check_choice(source, "type",
               {"", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"},
               at, errors);
}

}  // namespace

void check_volume_source(const doc::Value& volume, const Path& at, FieldErrors& errors) {
  if (!volume.is_object()) return;
  std::size_t found = 0;
  for (const auto& [kind, source] : volume.get_object()) {
    if (kind == "name" || source.is_null()) continue;
    const Path here = at.field(kind);
    if (++found > 1) {
      errors.push_back(schema::forbidden(here.text(), "may not specify more than 1 volume type"));
    } else if (kind == "configMap") {
      require(source, "name", here, errors);
      check_items(source, here, errors);
    } else if (kind == "secret") {
      require(source, "secretName", here, errors);
      check_items(source, here, errors);
    } else if (kind == "hostPath") {
      check_host_path(source, here, errors);
    } else if (kind == "persistentVolumeClaim") {
      require(source, "claimName", here, errors);
    }
  }
}

}  // namespace tiphys::podspec
