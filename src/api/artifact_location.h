// Where artifacts are: the fields of an artifact, archiveLocation or repository that name a store and a place in it.
// They stay documents: {"s3": {"endpoint": ..., "bucket": ..., "key": ...}}. Original:
// pkg/apis/workflow/v1alpha1/workflow_types.go (ArtifactLocation), artifact_repository_types.go.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "doc/value.h"

namespace tiphys::api {

/// All the fields that are places.
std::span<const std::string_view> location_kinds();
/// Whether a repository may be of that kind.
bool is_repository(std::string_view kind);
/// The one field of `object` that is a place of an artifact ("s3"); "" when it has none.
std::string_view location_kind(const doc::Object& object);

/// The key, blob, path or URL path of a place of that kind; "" where it has none, or the kind has no keys.
std::string location_key(std::string_view kind, const doc::Value& place);
/// False when places of this kind have no key.
bool set_location_key(std::string_view kind, doc::Value& place, std::string_view key);
/// The place is whole: it names a store as well as a key.
bool has_location(std::string_view kind, const doc::Value& place);

/// The object has a place that is whole, or a key at least, which is one in some repository.
bool is_placed(const doc::Object& object);

/// `location` itself when it is whole; else its key in the store of `archive`, which is whole or names the plane's own
/// repository ({"s3": {"key": ...}}). Null when `location` names no place at all.
doc::Value relocated(const doc::Object& location, const doc::Object& archive);

/// Where a repository keeps what names no place of its own: its store, with the format of keys as the key. Null when
/// the repository names no store.
doc::Value repository_location(const doc::Object& repository);

/// The parts as one path, without "." and ".." and double slashes: Go's path.Join.
std::string join_key(std::string_view folder, std::string_view rest);

}  // namespace tiphys::api
