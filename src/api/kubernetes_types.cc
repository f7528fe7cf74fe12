#include "api/kubernetes_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "api/fields.h"
#include "api/variables.h"
#include "base/check.h"
#include "base/quantity.h"
#include "base/strings.h"
#include "base/time.h"
#include "schema/kubernetes.h"

namespace tiphys::api {
namespace {

using schema::Type;

constexpr std::string_view kCore = "io.k8s.api.core.v1.";
constexpr std::string_view kMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.";
constexpr std::string_view kQuantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";
constexpr std::size_t kDeepestHint = 3;

using Words = std::span<const std::string_view>;

constexpr std::string_view kSelectorOperators[] = {"In", "NotIn", "Exists", "DoesNotExist"};
constexpr std::string_view kNodeOperators[] = {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"};
constexpr std::string_view kTolerationOperators[] = {"Equal", "Exists"};
constexpr std::string_view kEffects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute"};
constexpr std::string_view kSeccompTypes[] = {"Localhost", "RuntimeDefault", "Unconfined"};
constexpr std::string_view kProcMounts[] = {"Default", "Unmasked"};
constexpr std::string_view kGroupChangePolicies[] = {"Always", "OnRootMismatch"};
constexpr std::string_view kGroupsPolicies[] = {"Merge", "Strict"};
constexpr std::string_view kPropagations[] = {"None", "HostToContainer", "Bidirectional"};
constexpr std::string_view kRecursions[] = {"Disabled", "IfPossible", "Enabled"};
constexpr std::string_view kProtocols[] = {"TCP", "UDP", "SCTP"};
constexpr std::string_view kSchemes[] = {"HTTP", "HTTPS"};
constexpr std::string_view kMediums[] = {"", "Memory", "HugePages"};
constexpr std::string_view kPathTypes[] = {"",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
                                           "File", "FileOrCreate", "Socket"};
constexpr std::string_view kAccessModes[] = {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"};
constexpr std::string_view kVolumeModes[] = {"Filesystem", "Block"};
constexpr std::string_view kSpreads[] = {"DoNotSchedule", "ScheduleAnyway"};
constexpr std::string_view kRestarts[] = {"Always", "OnFailure", "Never"};
constexpr std::string_view kResizes[] = {"NotRequired", "RestartContainer"};
constexpr std::string_view kMessagePolicies[] = {"File", "FallbackToLogsOnError"};

/// What a field, or each element of one, may say. The published schemas do not tell.
struct Choice {
  std::string_view type;
  std::string_view field;
  Words words;
};
constexpr Choice kChoices[] = {
    {"AppArmorProfile", "type", kSeccompTypes},
    {"Container", "imagePullPolicy", kPullPolicies},
    {"Container", "restartPolicy", kRestarts},
    {"Container", "terminationMessagePolicy", kMessagePolicies},
    {"ContainerPort", "protocol", kProtocols},
    {"ContainerResizePolicy", "restartPolicy", kResizes},
    {"EmptyDirVolumeSource", "medium", kMediums},
    {"HTTPGetAction", "scheme", kSchemes},
    {"HostPathVolumeSource", "type", kPathTypes},
    {"LabelSelectorRequirement", "operator", kSelectorOperators},
    {"NodeSelectorRequirement", "operator", kNodeOperators},
    {"PersistentVolumeClaimSpec", "accessModes", kAccessModes},
    {"PersistentVolumeClaimSpec", "volumeMode", kVolumeModes},
    {"PodSecurityContext", "fsGroupChangePolicy", kGroupChangePolicies},
    {"PodSecurityContext", "supplementalGroupsPolicy", kGroupsPolicies},
    {"PodSpec", "dnsPolicy", kDnsPolicies},
    {"PodSpec", "restartPolicy", kRestarts},
    {"SeccompProfile", "type", kSeccompTypes},
    {"SecurityContext", "procMount", kProcMounts},
    {"Toleration", "effect", kEffects},
    {"Toleration", "operator", kTolerationOperators},
    {"TopologySpreadConstraint", "whenUnsatisfiable", kSpreads},
    {"VolumeMount", "mountPropagation", kPropagations},
    {"VolumeMount", "recursiveReadOnly", kRecursions},
};

std::string_view short_name(std::string_view type) {
  return type.substr(type.rfind('.') + 1);
}

Words choices_of(std::string_view type, std::string_view field) {
  for (const Choice& choice : kChoices) {
    if (choice.type == type && choice.field == field) return choice.words;
  }
  return {};
}

bool tagged(const doc::Value& value) {
  const auto* text = value.if_string();
  return text && text->find("{{") != text->npos;
}

std::string_view wanted(const Type& type) {
  switch (type.form) {
    case Type::Form::kString:
      return "a string";
    case Type::Form::kInteger:
      return "a whole number";
    case Type::Form::kNumber:
      return "a number";
    case Type::Form::kBoolean:
      return "true or false";
    case Type::Form::kIntOrString:
      return type.name == kQuantity ? "a quantity like 500m, 2 or 128Mi" : "a whole number or a string";
    case Type::Form::kList:
      return "a list";
    default:
      return "an object";
  }
}

bool fits(const Type& type, const doc::Value& value) {
  switch (type.form) {
    case Type::Form::kAny:
      return true;
    case Type::Form::kString:
      return value.is_string();
    case Type::Form::kInteger:
      return value.is_int64();
    case Type::Form::kNumber:
      return value.is_number();
    case Type::Form::kBoolean:
      return value.is_bool();
    case Type::Form::kIntOrString:
      return value.is_string() || value.is_int64() || (type.name == kQuantity && value.is_number());
    case Type::Form::kObject:
    case Type::Form::kMap:
      return value.is_object();
    case Type::Form::kList:
      return value.is_array();
  }
  return true;
}

std::vector<std::string> names_of(const Type& type) {
  std::vector<std::string> names;
  for (const schema::Field& field : type.fields) names.push_back(field.name);
  return names;
}

/// The nearest fields below of which one is called so: "capabilities".
std::string path_to(const Type& type, std::string_view name) {
  struct Visit {
    const Type* type;
    std::string path;
    std::size_t depth;
  };
  std::deque<Visit> next = {{&type, "", 0}};
  while (!next.empty()) {
    const Visit visit = std::move(next.front());
    next.pop_front();
    if (visit.depth > 0 && visit.type->find(name)) return visit.path;
    if (visit.depth == kDeepestHint) continue;
    for (const schema::Field& field : visit.type->fields) {
      if (field.type->form != Type::Form::kObject) continue;
      next.push_back({field.type, (visit.path.empty() ? "" : visit.path + ".") + field.name, visit.depth + 1});
    }
  }
  return "";
}

/// Walks a value along its type.
class Walk {
 public:
  explicit Walk(Completeness completeness) : part_(completeness == Completeness::kPart) {}

  void check(const Place& place, const Type& type) {
    const doc::Value& value = place.value();
    const bool scalar =
        type.form != Type::Form::kList && type.form != Type::Form::kObject && type.form != Type::Form::kMap;
    if (tagged(value) && (scalar || part_)) return;
    if (!fits(type, value)) return place.wrong_type(wanted(type));
    if (!check_text(place, type)) return;
    if (type.form == Type::Form::kList) {
      const doc::Array& list = value.get_array();
      for (std::size_t i = 0; type.element && i < list.size(); ++i) {
        const Place element = place.element(i, list[i]);
        check(element, *type.element);
        if (part_) check_merge_key(element, type);
      }
    } else if (const doc::Object* object = value.if_object()) {
      check_members(place, *object, type);
    }
  }

 private:
  /// What Go could not read though its form is right.
  static bool check_text(const Place& place, const Type& type) {
    const doc::Value& value = place.value();
    if (type.name == kQuantity && value.is_string()) {
      const auto quantity = parse_quantity(value.get_string());
      if (!quantity) place.error(fmt::format("{}: {}", place.name(), quantity.error().message));
      return quantity.has_value();
    }
    if (type.format == "int32" && value.is_int64() &&
        (value.get_int64() < INT32_MIN || value.get_int64() > INT32_MAX)) {
      place.error(fmt::format("{} must be a 32-bit integer, not {}", place.name(), value.get_int64()));
      return false;
    }
    if (type.format == "date-time" && value.is_string() && !parse_rfc3339(value.get_string())) {
      place.error(fmt::format("{} must be a time like 2026-01-31T12:00:00Z", place.name()));
      return false;
    }
    return true;
  }

  /// Which element a patch means it has to say.
  static void check_merge_key(const Place& place, const Type& list) {
    const doc::Object* object = place.value().if_object();
    if (!object || !list.merges || list.merge_key.empty()) return;
    const bool directive = std::ranges::any_of(*object, [](const auto& each) { return each.key().starts_with('$'); });
    if (directive || object->contains(list.merge_key)) return;
    place.key_error(fmt::format("{}.{} is required: it tells which one is meant", place.name(), list.merge_key));
  }

  void check_members(const Place& place, const doc::Object& object, const Type& type) {
    std::vector<std::string> meant;  // by names that are not there
    for (const auto& [key, value] : object) {
      const std::string_view name(key);
      const Place member = place.member(name, value);
      const schema::Field* field = type.find(name);
      const Type* below = field ? field->type : type.element;
      if (part_ && name.starts_with('$')) continue;
      if (!below && type.form == Type::Form::kObject && !type.keeps_unknown && !type.fields.empty()) {
        meant.push_back(nearest(name, names_of(type)).value_or(""));
        unknown_field(member, place, name, type);
      } else if (below && !value.is_null()) {
        check(member, *below);
        if (const Words words = choices_of(short_name(type.name), name); !words.empty()) check_choice(member, words);
      }
    }
    if (part_) return;
    for (const std::string& name : type.required) {
      const doc::Value* given = object.if_contains(name);
      if (std::ranges::find(meant, name) != meant.end()) continue;
      if (!given || given->is_null()) place.key_error(fmt::format("{}.{} is required", place.name(), name));
    }
  }

  static void unknown_field(const Place& member, const Place& place, std::string_view name, const Type& type) {
    std::string hint = did_you_mean(name, names_of(type));
    if (hint.empty()) {
      if (const std::string path = path_to(type, name); !path.empty()) {
        hint = fmt::format("; it belongs in {}.{}", place.name(), path);
      }
    }
    member.key_error(fmt::format("unknown field \"{}\" in {}{}", name, place.name(), hint));
    member.reading().findings.back().unknown_field = true;
  }

  /// A field that is one of some words, or a list of such.
  static void check_choice(const Place& place, Words words) {
    if (const doc::Array* list = place.value().if_array()) {
      for (std::size_t i = 0; i < list->size(); ++i) check_choice(place.element(i, (*list)[i]), words);
      return;
    }
    if (!place.value().is_string() || tagged(place.value())) return;
    const std::string_view said = place.value().get_string();
    // Huge pages may have a size: HugePages-2Mi.
    const bool known = std::ranges::any_of(words, [&](std::string_view word) {
      return word == said || (word == "HugePages" && said.starts_with("HugePages-"));
    });
    if (known) return;
    std::vector<std::string> all;
    for (const std::string_view word : words) {
      if (!word.empty()) all.emplace_back(word);
    }
    place.error(
        fmt::format("{}: \"{}\" is none of {}{}", place.name(), said, join(all, ", "), did_you_mean(said, all)));
  }

  bool part_;
};

const Type& type_of(const char* short_name) {
  const schema::Types& types = schema::kubernetes_types();
  const Type* found = types.find(std::string(kCore) + short_name);
  if (!found) found = types.find(std::string(kMeta) + short_name);
  TIPHYS_CHECK(found, "every shape names a type of Kubernetes");
  return *found;
}

}  // namespace

void check_kubernetes(const Place& place, const Shape& shape) {
  Walk walk(Completeness::kWhole);
  const Type& type = type_of(shape.kubernetes);
  if (shape.around == Shape::Around::kNothing) return walk.check(place, type);
  if (shape.around == Shape::Around::kList) {
    if (!expect_array(place)) return;
    const doc::Array& list = place.value().get_array();
    for (std::size_t i = 0; i < list.size(); ++i) walk.check(place.element(i, list[i]), type);
    return;
  }
  if (!expect_object(place)) return;
  for (const auto& [key, value] : place.value().get_object()) walk.check(place.member(key, value), type);
}

void check_kubernetes_type(const Place& place, std::string_view type, Completeness completeness) {
  const Type* found = schema::kubernetes_types().find(type);
  TIPHYS_CHECK(found, "a type of Kubernetes that is there");
  Walk(completeness).check(place, *found);
}

}  // namespace tiphys::api
