// The kinds that an API serves, each at one version: what it is called, what its objects look like, what one may do
// with them.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/resource.h"
#include "schema/types.h"

namespace tiphys::objects {

/// A part of an object with a route of its own.
struct Subresource {
  std::string_view name;            ///< "status"
  std::string_view kind;            ///< of what is read and written there: "Scale"
  std::string_view group, version;  ///< of that kind; "" for those of the object
  std::span<const std::string_view> verbs;
};

struct Kind {
  const cluster::Resource* resource = nullptr;
  std::string version;                 ///< at which it is served; stored at resource->version
  std::string type_name;               ///< of its OpenAPI schema; "" when nothing is known
  const schema::Type* type = nullptr;  ///< null: anything goes
  std::span<const std::string_view> verbs;
  std::vector<Subresource> subresources{};

  std::string api_version() const;
  bool may(std::string_view verb) const;
  const Subresource* subresource(std::string_view name) const;
};

class Kinds {
 public:
  /// The built-in ones: cluster::resources() with the types of schema/kubernetes.h and of Argo's field tables.
  Kinds();
  Kinds(const Kinds&) = delete;
  Kinds& operator=(const Kinds&) = delete;

  /// nullptr when there is none.
  const Kind* find(std::string_view group, std::string_view version, std::string_view plural) const;
  const Kind* find_kind(std::string_view api_version, std::string_view kind) const;
  const std::deque<Kind>& all() const { return kinds_; }
  /// All groups, the core group ("") first, with their versions, the preferred one first.
  struct Group {
    std::string_view name;
    std::vector<std::string_view> versions;
  };
  std::vector<Group> groups() const;

  /// OpenAPI schemas of Argo's kinds by name.
  const doc::Object& argo_schemas() const { return argo_schemas_; }

 private:
  doc::Object argo_schemas_;
  schema::Types argo_types_;
  std::deque<Kind> kinds_;
};

}  // namespace tiphys::objects
