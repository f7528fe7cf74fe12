#include "api/artifact_location.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <span>

namespace tiphys::api {
namespace {

/// One kind of place. `key` is the field of its key ("url": the key is the path in it), `needs` what makes it whole.
struct Kind {
  std::string_view name;
  std::string_view key;
  std::span<const std::string_view> needs;
  std::string_view format;  ///< the field of a repository with the format of keys; "" when it is no repository
};

constexpr std::string_view kArtifactoryNeeds[] = {"url", "usernameSecret"};
constexpr std::string_view kAzureNeeds[] = {"endpoint", "container", "blob"};
constexpr std::string_view kGcsNeeds[] = {"bucket", "key"};
constexpr std::string_view kGitNeeds[] = {"repo"};
constexpr std::string_view kHdfsNeeds[] = {"addresses"};
constexpr std::string_view kHttpNeeds[] = {"url"};
constexpr std::string_view kOssNeeds[] = {"bucket", "endpoint", "key"};
constexpr std::string_view kPluginNeeds[] = {"name", "key"};
constexpr std::string_view kS3Needs[] = {"endpoint", "bucket", "key"};

/// In the order in which the original looks for them.
constexpr Kind kKinds[] = {
    {"artifactory", "url", kArtifactoryNeeds, "keyFormat"},
    {"azure", "blob", kAzureNeeds, "blobNameFormat"},
    {"git", "", kGitNeeds, ""},
    {"gcs", "key", kGcsNeeds, "keyFormat"},
    {"hdfs", "path", kHdfsNeeds, "pathFormat"},
    {"http", "url", kHttpNeeds, ""},
    {"oss", "key", kOssNeeds, "keyFormat"},
    {"plugin", "key", kPluginNeeds, "keyFormat"},
    {"raw", "", {}, ""},
    {"s3", "key", kS3Needs, "keyFormat"},
};

constexpr std::string_view kDefaultKeyFormat = "{{workflow.name}}/{{pod.name}}";

const Kind* find_kind(std::string_view name) {
  const auto found = std::ranges::find(kKinds, name, &Kind::name);
  return found == std::end(kKinds) ? nullptr : found;
}

const Kind* kind_in(const doc::Object& object) {
  for (const Kind& kind : kKinds) {
    const doc::Value* place = object.if_contains(kind.name);
    if (place && place->is_object()) return &kind;
  }
  return nullptr;
}

bool is_given(const doc::Value* value) {
  if (!value || value->is_null()) return false;
  if (const auto* text = value->if_string()) return !text->empty();
  if (const auto* list = value->if_array()) return !list->empty();
  return true;
}

/// Where the path of a URL begins and ends: "http://host[/path][?query]".
std::pair<std::size_t, std::size_t> url_path(std::string_view url) {
  const auto scheme = url.find("://");
  const std::size_t host = scheme == url.npos ? 0 : scheme + 3;
  const std::size_t end = std::min(url.find_first_of("?#", host), url.size());
  return {std::min(url.find('/', host), end), end};
}

}  // namespace

std::span<const std::string_view> location_kinds() {
  static constexpr auto kNames = [] {
    std::array<std::string_view, std::size(kKinds)> names;
    std::ranges::transform(kKinds, names.begin(), &Kind::name);
    return names;
  }();
  return kNames;
}

bool is_repository(std::string_view kind) {
  const Kind* known = find_kind(kind);
  return known && !known->format.empty();
}

std::string_view location_kind(const doc::Object& object) {
  const Kind* kind = kind_in(object);
  return kind ? kind->name : "";
}

std::string location_key(std::string_view kind, const doc::Value& place) {
  const Kind* known = find_kind(kind);
  if (!known || known->key.empty()) return "";
  const std::string_view text = doc::find_string(place, known->key);
  if (known->key != "url") return std::string(text);
  const auto [begin, end] = url_path(text);
  return std::string(text.substr(begin, end - begin));
}

bool set_location_key(std::string_view kind, doc::Value& place, std::string_view key) {
  const Kind* known = find_kind(kind);
  if (!known || known->key.empty()) return false;
  std::string value(key);
  if (known->key == "url") {
    const std::string_view url = doc::find_string(place, known->key);
    const auto [begin, end] = url_path(url);
    const std::string_view slash = key.starts_with('/') ? "" : "/";
    value = std::string(url.substr(0, begin)).append(slash).append(key).append(url.substr(end));
  }
  place.as_object()[known->key] = value;
  return true;
}

bool has_location(std::string_view kind, const doc::Value& place) {
  const Kind* known = find_kind(kind);
  return known &&
         std::ranges::all_of(known->needs, [&](std::string_view field) { return is_given(doc::find(place, field)); });
}

bool is_placed(const doc::Object& object) {
  const Kind* kind = kind_in(object);
  if (!kind) return false;
  const doc::Value& place = object.at(kind->name);
  return has_location(kind->name, place) || !location_key(kind->name, place).empty();
}

doc::Value relocated(const doc::Object& location, const doc::Object& archive) {
  const Kind* own = kind_in(location);
  if (!own) return nullptr;
  const doc::Value& place = *location.if_contains(own->name);
  if (has_location(own->name, place)) return doc::Object{{own->name, place}};
  const std::string key = location_key(own->name, place);
  const Kind* other = kind_in(archive);
  if (!other) return nullptr;
  doc::Value moved = *archive.if_contains(other->name);
  if (!set_location_key(other->name, moved, key)) return nullptr;
  return doc::Object{{other->name, std::move(moved)}};
}

doc::Value repository_location(const doc::Object& repository) {
  const Kind* kind = kind_in(repository);
  if (!kind || kind->format.empty()) return nullptr;
  doc::Value place = *repository.if_contains(kind->name);
  doc::Object& fields = place.as_object();
  std::string key(doc::find_string(place, kind->format));
  if (key.empty()) key = join_key(doc::find_string(place, "keyPrefix"), kDefaultKeyFormat);
  for (const std::string_view field : {kind->format, std::string_view("keyPrefix")}) fields.erase(field);
  if (kind->key == "url") {
    std::string url(doc::find_string(place, "repoURL"));
    fields.erase("repoURL");
    fields["url"] = url.append(url.ends_with('/') ? "" : "/").append(key);
  } else {
    fields[kind->key] = key;
  }
  return doc::Object{{kind->name, std::move(place)}};
}

std::string join_key(std::string_view folder, std::string_view rest) {
  std::string joined = (std::filesystem::path("/") / std::filesystem::path(folder).relative_path() /
                        std::filesystem::path(rest).relative_path())
                           .lexically_normal()
                           .string();
  while (joined.size() > 1 && joined.ends_with('/')) joined.pop_back();
  return folder.starts_with('/') || (folder.empty() && rest.starts_with('/')) ? joined : joined.substr(1);
}

}  // namespace tiphys::api
