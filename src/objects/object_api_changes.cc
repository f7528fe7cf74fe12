// The part of ObjectApi that changes objects: update, patch, apply.
#include <fmt/format.h>

#include <optional>

#include "cluster/patch.h"
#include "doc/patch.h"
#include "objects/apply.h"
#include "objects/custom_kind.h"
#include "objects/intake.h"
#include "objects/namespaces.h"
#include "objects/node_changes.h"
#include "objects/object_request.h"
#include "objects/scale.h"
#include "objects/schema_patch_types.h"

namespace tiphys::objects {
namespace {

/// The built-in kinds have schemas that say how their lists merge.
Status apply_patch(const Target& target, doc::Value& object, cluster::PatchType type, const doc::Value& patch) {
  const bool built_in = target.kind->type_name.starts_with("io.k8s.");
  if (type != cluster::PatchType::kStrategic || !built_in) return cluster::apply_patch(object, type, patch);
  std::string_view form = target.kind->type_name;
  if (is_scale(target)) form = "io.k8s.api.autoscaling.v1.Scale";
  return doc::apply_strategic_merge_patch(object, patch, form, schema_patch_types());
}

Refusal refusal_of(const ApplyRefusal& refused) {
  if (refused.error.code == Code::kInternal) return {500, "", refused.error.message};
  if (refused.conflicts.empty()) return bad_request(refused.error.message);
  Refusal refusal{409, "Conflict", refused.error.message};
  doc::Array causes;
  for (const ApplyConflict& conflict : refused.conflicts) {
    causes.push_back(
        doc::Object{{"reason", ApplyConflict::kReason}, {"message", conflict.message}, {"field", conflict.field}});
  }
  refusal.details["causes"] = std::move(causes);
  return refusal;
}

}  // namespace

void ObjectApi::change(const Target& target, const WriteOptions& options, Make make, Reply<Written> reply) {
  struct State {
    std::optional<Refusal> refusal;
    Warnings warnings;
    bool created = false;
    std::string version;
  };
  auto state = std::make_shared<State>();
  auto attempt = [target, state, make = std::move(make)](const cluster::Object& newest) mutable -> Result<doc::Value> {
    state->created = !newest;
    if (newest) state->version = doc::find_string(*newest, "metadata", "resourceVersion");
    auto made = make(as_served(*target.kind, newest), state->warnings);
    if (made) return to_store(*target.kind, std::move(*made));
    state->refusal = std::move(made.error());
    return fail(Code::kInvalidArgument, state->refusal->message);
  };
  store_.modify(
      target.key(), std::move(attempt), {.dry_run = options.dry_run},
      [target, state, dry_run = options.dry_run, reply = std::move(reply)](Result<cluster::Object> result) mutable {
        if (state->refusal) return reply(std::unexpected(std::move(*state->refusal)));
        auto object = served(target, std::move(result));
        if (!object) return reply(std::unexpected(std::move(object.error())));
        // Nothing has been written: there is no version yet, or that of the object as it is.
        if (dry_run) *object = state->created ? without_version(**object) : with_version(**object, state->version);
        reply(Written{.object = std::move(*object), .created = state->created, .warnings = std::move(state->warnings)});
      });
}

Outcome<doc::Value> ObjectApi::scaled(const Target& target, const WriteOptions& options, const cluster::Object& newest,
                                      const doc::Value& scale) const {
  if (!newest) return std::unexpected(not_found(target));
  doc::Value object = *newest;
  if (auto taken = take_scale(object, scale, scale_paths(*target.kind)); !taken) return std::unexpected(taken.error());
  if (options.field_manager.empty()) return object;
  const ScalePaths& paths = scale_paths(*target.kind);
  const doc::Value before = owned_scale_of(*newest, paths);
  doc::Value after = scale_of(object, paths);
  track_update(&before, after, scale_writer(options, executor_.now()));
  take_scale_owners(object, after, paths);
  return object;
}

Outcome<doc::Value> ObjectApi::scale_applied(const Target& target, const WriteOptions& options,
                                             const cluster::Object& newest, const doc::Value& config) const {
  if (!newest) return std::unexpected(not_found(target));
  if (auto known = check_scale_declared(config); !known) return std::unexpected(std::move(known.error()));
  const ScalePaths& paths = scale_paths(*target.kind);
  const doc::Value before = owned_scale_of(*newest, paths);
  const auto merged = objects::apply(&before, config, scale_writer(options, executor_.now()), options.force);
  if (!merged) return std::unexpected(refusal_of(merged.error()));
  doc::Value object = *newest;
  if (auto taken = take_scale(object, *merged, paths); !taken) return std::unexpected(std::move(taken.error()));
  take_scale_owners(object, *merged, paths);
  return differs_in_times_only(*newest, object) ? *newest : std::move(object);
}

void ObjectApi::update(const Target& target, doc::Value body, const WriteOptions& options, Reply<Written> reply) {
  if (auto allowed = allow(target, "update"); !allowed) return reply(std::unexpected(std::move(allowed.error())));
  const bool asks = target.kind->resource == &cluster::kWorkflows && may_ask(body);
  if (!asks) return replace(target, std::move(body), options, std::move(reply));
  store_.get(target.key(), [this, target, options, body = std::move(body),
                            reply = std::move(reply)](const Result<cluster::Object>& before) mutable {
    if (before) ask_for_changes(**before, body);
    replace(target, std::move(body), options, std::move(reply));
  });
}

void ObjectApi::replace(const Target& target, doc::Value body, const WriteOptions& options, Reply<Written> reply) {
  if (is_scale(target)) {
    return change(
        target, options,
        [this, target, options, body = std::move(body)](const cluster::Object& newest, Warnings&) {
          return scaled(target, options, newest, body);
        },
        std::move(reply));
  }
  Warnings warnings;
  const bool named = !doc::find_string(body, "metadata", "name").empty();
  auto settled = settle_identity(target, body);
  if (settled && !named) {
    settled = std::unexpected(bad_request(fmt::format(
        "the name of the object ({} based on URL) was undeterminable: name must be provided", target.name)));
  }
  // Only most of the built-in kinds of Kubernetes take a write of whatever state there is.
  const bool takes_any =
      target.kind->type_name.starts_with("io.k8s.") && target.kind->resource != &cluster::kPodDisruptionBudgets;
  if (settled && !takes_any && doc::find_string(body, "metadata", "resourceVersion").empty()) {
    cluster::Resource plural = *target.kind->resource;
    plural.kind = plural.plural;
    settled = std::unexpected(refuse_invalid(
        plural, target.name,
        {schema::invalid("metadata.resourceVersion", doc::Value(0), "must be specified for an update")}));
  }
  if (settled) settled = take_in(*target.kind, body, options.validation, Source::kBody, warnings);
  if (!settled) return reply(std::unexpected(std::move(settled.error())));
  change(
      target, options,
      [this, target, options, body = std::move(body), warnings = std::move(warnings)](
          const cluster::Object& newest, Warnings& told) mutable -> Outcome<doc::Value> {
        if (!newest) return std::unexpected(not_found(target));
        told = std::move(warnings);
        if (auto same = check_uid(target, body, *newest); !same) return std::unexpected(std::move(same.error()));
        keep_other_part(target, body, *newest);
        if (auto completed = finish(target, body, newest.get()); !completed) {
          return std::unexpected(std::move(completed.error()));
        }
        warn(target, body, newest.get(), told);
        track(target, options, newest.get(), body, executor_.now());
        return std::move(body);
      },
      std::move(reply));
}

void ObjectApi::patch(const Target& target, cluster::PatchType type, doc::Value patch, const WriteOptions& options,
                      Reply<Written> reply) {
  if (auto allowed = allow(target, "patch"); !allowed) return reply(std::unexpected(std::move(allowed.error())));
  change(
      target, options,
      [this, target, type, options, patch = std::move(patch)](const cluster::Object& newest,
                                                              Warnings& warnings) -> Outcome<doc::Value> {
        if (!newest) return std::unexpected(not_found(target));
        doc::Value object = is_scale(target) ? scale_of(*newest, scale_paths(*target.kind)) : *newest;
        if (const Status patched = apply_patch(target, object, type, patch); !patched) {
          // A list of operations that can be read, but not be done here.
          const bool readable = type == cluster::PatchType::kJson && patch.is_array();
          if (readable) return std::unexpected(Refusal{422, "Invalid", patched.error().message, {}, true});
          return std::unexpected(refusal_for(target, patched.error()));
        }
        if (is_scale(target)) return scaled(target, options, newest, object);
        auto done = check_same_place(target, object);
        if (done) done = take_in(*target.kind, object, options.validation, Source::kPatch, warnings);
        if (!done) return std::unexpected(std::move(done.error()));
        keep_other_part(target, object, *newest);
        done = finish(target, object, newest.get());
        if (!done) return std::unexpected(std::move(done.error()));
        warn(target, object, newest.get(), warnings);
        track(target, options, newest.get(), object, executor_.now());
        return object;
      },
      std::move(reply));
}

void ObjectApi::apply(const Target& target, doc::Value config, const WriteOptions& options, Reply<Written> reply) {
  if (auto allowed = allow(target, "patch"); !allowed) return reply(std::unexpected(std::move(allowed.error())));
  auto settled = is_scale(target) ? settle_scale(target, config) : settle_identity(target, config);
  if (settled && options.field_manager.empty()) {
    settled = std::unexpected(Refusal{422, "Invalid",
                                      "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is "
                                      "required for apply patch"});
  }
  if (!settled) return reply(std::unexpected(std::move(settled.error())));
  if (is_scale(target)) {
    return change(
        target, options,
        [this, target, options, config = std::move(config)](const cluster::Object& newest, Warnings&) {
          return scale_applied(target, options, newest, config);
        },
        std::move(reply));
  }
  change(
      target, options,
      [this, target, options, config = std::move(config)](const cluster::Object& newest,
                                                          Warnings& warnings) mutable -> Outcome<doc::Value> {
        if (auto known = check_declared(target, config); !known) return std::unexpected(std::move(known.error()));
        auto taken = take_in(*target.kind, config, options.validation, Source::kPatch, warnings);
        if (taken && !newest) taken = admit_to_namespace(store_, *target.kind, config);
        if (!taken) return std::unexpected(std::move(taken.error()));
        const std::string api_version = target.kind->api_version();
        auto merged = objects::apply(newest.get(), config, writer_of(target, options, api_version, executor_.now()),
                                     options.force);
        if (!merged) return std::unexpected(refusal_of(merged.error()));
        if (newest) {
          keep_other_part(target, *merged, *newest);
        } else if (!target.subresource.empty()) {
          return std::unexpected(not_found(target));
        } else if (target.kind->has_status) {
          merged->get_object().erase("status");
        }
        auto completed = newest ? finish(target, *merged, newest.get()) : complete_new(target, *merged);
        if (!completed) return std::unexpected(std::move(completed.error()));
        warn(target, *merged, newest.get(), warnings);
        if (newest && differs_in_times_only(*newest, *merged)) return *newest;
        return std::move(*merged);
      },
      std::move(reply));
}

}  // namespace tiphys::objects
