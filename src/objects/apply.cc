#include "objects/apply.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "objects/apply_check.h"
#include "objects/apply_fields.h"
#include "objects/apply_last_applied.h"
#include "objects/apply_merge.h"
#include "objects/managed_fields_track.h"

namespace tiphys::objects {
namespace {

constexpr std::string_view kBeforeFirst = "before-first-apply";
constexpr std::string_view kKubectl = "kubectl";

std::unexpected<ApplyRefusal> refuse(Code code, std::string message) {
  return std::unexpected(ApplyRefusal{{code, std::move(message)}, {}});
}

/// "apps/v1, Kind=Deployment", "/v1, Kind=Pod"
std::string kind_text(std::string_view api_version, std::string_view kind) {
  return fmt::format("{}{}, Kind={}", api_version.find('/') == api_version.npos ? "/" : "", api_version, kind);
}

/// "default/web; apps/v1, Kind=Deployment"
std::string object_text(const doc::Value& object) {
  return fmt::format("{}/{}; {}", doc::find_string(object, "metadata", "namespace"),
                     doc::find_string(object, "metadata", "name"),
                     kind_text(doc::find_string(object, "apiVersion"), doc::find_string(object, "kind")));
}

std::string manager_text(const ManagedEntry& entry) {
  std::string out;
  append_quoted(out, entry.manager);
  if (!entry.subresource.empty()) {
    out += " with subresource ";
    append_quoted(out, entry.subresource);
  }
  return entry.applied ? out : fmt::format("{} using {}", out, entry.api_version);
}

/// What keeps a configuration from being applied, by manager.
using Conflicts = std::map<std::string, FieldSet>;

ApplyRefusal refusal_of(const Conflicts& conflicts, const ManagedFields& managed) {
  ApplyRefusal refusal;
  std::vector<std::string> lines;
  for (const auto& [id, fields] : conflicts) {
    const std::string who = manager_text(managed.at(id));
    lines.push_back(fmt::format("conflicts with {}:", who));
    fields.each([&](const FieldPath& path) {
      refusal.conflicts.push_back({"conflict with " + who, text_of(path)});
      lines.push_back("- " + refusal.conflicts.back().field);
    });
  }
  const std::size_t count = refusal.conflicts.size();
  refusal.error.code = Code::kAborted;
  refusal.error.message = count == 1 ? fmt::format("Apply failed with 1 conflict: {}: {}", refusal.conflicts[0].message,
                                                   refusal.conflicts[0].field)
                                     : fmt::format("Apply failed with {} conflicts: {}", count, join(lines, "\n"));
  return refusal;
}

/// One application: the object and its managers, before and after.
class Application {
 public:
  Application(const doc::Value& live, const doc::Value& config, const FieldWriter& writer, ManagedFields managed)
      : live_(live),
        config_(config),
        writer_(writer),
        shape_(Shape::of_object(writer.type)),
        own_(entry_of(writer, true)),
        own_id_(own_.id()),
        managed_(current(std::move(managed), shape_, writer)) {}

  void run() {
    const auto before = managed_.find(own_id_);
    FieldSet last;
    if (before != managed_.end()) {
      last = std::move(before->second.fields);
      own_.time = before->second.time;
    }
    own_.fields = fields_of(shape_, config_).minus_below(writer_.reset);
    managed_.insert_or_assign(own_id_, own_);
    object_ = merged(shape_, live_, config_);
    if (!last.empty()) remove_forgotten(last);
    changes_ = compare_for(writer_, shape_, live_, object_);
    conflicts_ = taken(managed_, changes_, own_id_);
  }

  const Conflicts& conflicts() const { return conflicts_; }
  const ManagedFields& managed() const { return managed_; }

  doc::Value finish() {
    take(managed_, conflicts_, changes_, own_id_);
    if (const auto own = managed_.find(own_id_); own != managed_.end()) {
      own->second.fields = own->second.fields.minus(unowned());
      if (!same_value(live_, object_)) own->second.time = writer_.time;
      if (own->second.fields.empty()) managed_.erase(own);
    }
    write_managed_fields(object_, managed_);
    return std::move(object_);
  }

 private:
  FieldSet named(const FieldSet& fields) const { return with_named_fields(shape_, fields); }

  /// Takes out what the writer has applied last time and does not name any more, but for what others own.
  void remove_forgotten(const FieldSet& last) {
    FieldSet owned;
    for (const auto& [id, entry] : managed_) owned = owned.plus(entry.fields);
    const FieldSet all = named(fields_of(shape_, object_));
    const auto left_of = [&](const doc::Value& object) { return named(fields_of(shape_, object)); };
    doc::Value pruned = without(shape_, object_, named(last));
    // What others own comes back, ...
    pruned = without(shape_, object_, all.minus(left_of(pruned).plus(named(owned))));
    // ... and what the writer has never owned.
    object_ = without(shape_, object_, all.minus(left_of(pruned)).common(named(last)));
  }

  const doc::Value& live_;
  const doc::Value& config_;
  const FieldWriter& writer_;
  Shape shape_;
  ManagedEntry own_;
  std::string own_id_;
  ManagedFields managed_;
  doc::Value object_{};
  Changes changes_{};
  Conflicts conflicts_{};
};

/// Without those that kubectl may settle: they are with what it has applied itself, client-side.
Conflicts unsettled(const Conflicts& conflicts, const doc::Value& live, const FieldWriter& writer) {
  if (writer.manager != kKubectl || conflicts.empty()) return conflicts;
  const auto own = last_applied_fields(live, writer);
  if (!own) return conflicts;
  Conflicts left;
  for (const auto& [id, fields] : conflicts) {
    FieldSet others = fields.minus(*own);
    if (!others.empty()) left.emplace(id, std::move(others));
  }
  return left;
}

std::expected<void, ApplyRefusal> check_kind(const doc::Value& config, const FieldWriter& writer) {
  const auto api_version = doc::find_string(config, "apiVersion");
  const auto kind = doc::find_string(config, "kind");
  if (api_version == writer.api_version && kind == writer.kind) return {};
  return refuse(Code::kInvalidArgument, "invalid object type: " + kind_text(api_version, kind));
}

std::expected<void, ApplyRefusal> check_shapes(const doc::Value& live, const doc::Value& config,
                                               const FieldWriter& writer) {
  const doc::Value* managed = doc::find(config, "metadata", "managedFields");
  if (managed && !managed->is_null()) return refuse(Code::kInvalidArgument, "metadata.managedFields must be nil");
  const Shape shape = Shape::of_object(writer.type);
  const auto misfit = [](std::string_view what, const doc::Value& object, const Status& fits) {
    return refuse(Code::kInternal, fmt::format("failed to create typed {} object ({}): {}", what, object_text(object),
                                               fits.error().message));
  };
  if (const Status fits = check_shape(shape, config, Duplicates::kRefused); !fits) return misfit("patch", config, fits);
  if (const Status fits = check_shape(shape, live, Duplicates::kAllowed); !fits) return misfit("live", live, fits);
  return {};
}

/// The managers of an object, which belongs to somebody unnamed when it has none.
std::expected<ManagedFields, ApplyRefusal> managers_of(const doc::Value& live, const FieldWriter& writer) {
  auto managed = read_managed_fields(live);
  if (!managed) {
    return refuse(Code::kInternal, fmt::format("failed to decode managed fields: {}", managed.error().message));
  }
  if (!managed->empty()) return std::move(*managed);
  FieldWriter before = writer;
  before.manager = kBeforeFirst;
  doc::Value bare = live;
  remove_managed_fields(bare);
  auto first = updated({}, nothing_yet(writer), bare, before);
  if (!first) {
    return refuse(Code::kInternal,
                  fmt::format("failed to create manager for existing fields: failed to convert new object ({}) to smd "
                              "typed: {}",
                              object_text(live), first.error().message));
  }
  return std::move(*first);
}

}  // namespace

std::expected<doc::Value, ApplyRefusal> apply(const doc::Value* live, const doc::Value& config,
                                              const FieldWriter& writer, bool force) {
  TIPHYS_CHECK_OK(check_kind(config, writer));
  doc::Value before = live ? *live : nothing_yet(writer);
  TIPHYS_TRY(ManagedFields managed, managers_of(before, writer));
  remove_managed_fields(before);
  TIPHYS_CHECK_OK(check_shapes(before, config, writer));
  Application application(before, config, writer, std::move(managed));
  application.run();
  if (!force) {
    const Conflicts conflicts = unsettled(application.conflicts(), before, writer);
    if (!conflicts.empty()) return std::unexpected(refusal_of(conflicts, application.managed()));
  }
  doc::Value object = application.finish();
  if (writer.manager == kKubectl) refresh_last_applied(object, config);
  return object;
}

}  // namespace tiphys::objects
