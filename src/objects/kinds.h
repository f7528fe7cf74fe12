// The kinds that an API serves, each at one version: what it is called, what its objects look like, what one may do
// with them.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/resource.h"
#include "schema/types.h"

namespace tiphys::objects {

struct CustomVersion;

/// What one may do with objects and with most of their parts, in the order of Kubernetes' discovery.
inline constexpr std::array<std::string_view, 8> kAllVerbs{"create", "delete", "deletecollection", "get",
                                                           "list",   "patch",  "update",           "watch"};
inline constexpr std::array<std::string_view, 3> kPartVerbs{"get", "patch", "update"};

/// A part of an object with a route of its own.
struct Subresource {
  std::string_view name;            ///< "status"
  std::string_view kind;            ///< of what is read and written there: "Scale"
  std::string_view group, version;  ///< of that kind; "" for those of the object
  std::span<const std::string_view> verbs;
};

struct Column;
struct OtherForm;

struct Kind {
  const cluster::Resource* resource = nullptr;
  std::string version;    ///< at which it is served; stored at resource->version
  std::string list_kind;  ///< "PodList"
  std::string type_name;  ///< of its OpenAPI schema
  const schema::Type* type = nullptr;
  std::span<const std::string_view> verbs;
  std::vector<Subresource> subresources{};
  std::span<const Column> columns{};  ///< of its table
  bool has_status = false;            ///< written at /status alone
  const OtherForm* form = nullptr;    ///< of the objects of another kind (other_form.h); null: its objects are its own
  /// The definition that it comes from; null for a built-in one. A custom kind's schema decides what is kept, filled in
  /// and refused.
  std::shared_ptr<const CustomVersion> custom{};

  std::string api_version() const;
  /// Under which its objects are stored.
  const cluster::Resource& stored() const;
  /// Whether they are stored as they are served.
  bool as_stored() const { return !form && version == resource->version; }
  /// One of Kubernetes' own, which it reads into structs.
  bool is_struct() const { return type_name.starts_with("io.k8s.") && !custom; }
  bool may(std::string_view verb) const;
  const Subresource* subresource(std::string_view name) const;
};
/// Requests that are under way keep a kind whose definition is gone.
using KindPtr = std::shared_ptr<const Kind>;

class Kinds {
 public:
  /// The built-in ones: cluster::resources() with the types of schema/kubernetes.h and of Argo's field tables. They are
  /// put together when somebody asks first, which takes milliseconds that most planes never spend.
  Kinds() = default;
  Kinds(const Kinds&) = delete;
  Kinds& operator=(const Kinds&) = delete;

  /// nullptr when there is none.
  KindPtr find(std::string_view group, std::string_view version, std::string_view plural) const;
  KindPtr find_kind(std::string_view api_version, std::string_view kind) const;
  const std::vector<KindPtr>& all() const { return parts().kinds; }
  /// All groups, the core group ("") first, with their versions, the preferred one first.
  struct Group {
    std::string_view name;
    std::vector<std::string_view> versions;
  };
  std::vector<Group> groups() const;

  /// Serves the versions of one definition from now on, instead of those that it had before; none ends them. Built-in
  /// kinds stay as they are.
  void set_custom(std::string_view group, std::string_view plural, const std::vector<KindPtr>& versions);

  /// An OpenAPI schema by its name; nullptr when there is none.
  const doc::Value* schema(std::string_view name) const;

 private:
  struct Parts {
    doc::Object own_schemas;
    schema::Types own_types;
    std::vector<KindPtr> kinds;

    Parts();
    const doc::Value* schema(std::string_view name) const;
  };
  Parts& parts() const {
    if (!parts_) parts_ = std::make_unique<Parts>();
    return *parts_;
  }

  mutable std::unique_ptr<Parts> parts_;
};

}  // namespace tiphys::objects
