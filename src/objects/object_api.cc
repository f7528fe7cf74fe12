#include "objects/object_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cluster/patch.h"
#include "doc/patch.h"
#include "objects/admission.h"
#include "objects/apply.h"
#include "objects/intake.h"
#include "objects/namespaces.h"
#include "objects/rbac_rules.h"
#include "objects/reviews.h"
#include "objects/scale.h"
#include "objects/schema_patch_types.h"
#include "objects/service_rules.h"
#include "schema/check.h"

namespace tiphys::objects {
namespace {

using Warnings = std::vector<std::string>;

Refusal refusal_for(const Target& target, const Error& error) {
  return refusal_of(error, target.kind->resource, target.name);
}

Refusal not_found(const Target& target) {
  const cluster::Resource& resource = *target.kind->resource;
  return refusal_for(target, {Code::kNotFound, fmt::format("{} \"{}\" not found", resource.qualified, target.name)});
}

/// That an object of another type is not taken for one of this kind. Custom objects must say what they are.
Outcome<void> check_type(const Kind& kind, const doc::Value& body, std::string_view name, std::string_view version) {
  const std::string api_version = kind.api_version();
  const std::string_view wanted = kind.resource->kind;
  if (kind.custom && (name.empty() || version.empty())) {
    const std::string text = doc::to_json(body);
    constexpr std::size_t kShown = 30;
    return std::unexpected(bad_request(fmt::format(
        "the object provided is unrecognized (must be of type {}): Object '{}' is missing in '{}' ({}{})", wanted,
        name.empty() ? "Kind" : "apiVersion", text, text.substr(0, kShown), text.size() > kShown ? " ..." : "")));
  }
  if (kind.is_struct()) {
    if ((name.empty() || name == wanted) && (version.empty() || version == api_version)) return {};
    return std::unexpected(
        bad_request(fmt::format("{} in version \"{}\" cannot be handled as a {}", name.empty() ? wanted : name,
                                version.empty() ? api_version : version, wanted)));
  }
  if (!version.empty() && version != api_version) {
    return std::unexpected(bad_request(fmt::format(
        "the API version in the data ({}) does not match the expected API version ({})", version, api_version)));
  }
  if (name.empty() || name == wanted) return {};
  cluster::Resource other = *kind.resource;
  other.kind = name;
  return std::unexpected(
      refuse_invalid(other, doc::find_string(body, "metadata", "name"),
                     {schema::invalid("kind", doc::Value(name), fmt::format("must be {}", wanted))}));
}

/// What the object in a request says of itself where the path says it too.
Outcome<void> settle_identity(const Target& target, doc::Value& body) {
  doc::Object* object = body.if_object();
  if (!object) return std::unexpected(bad_request("the body must be an object"));
  const cluster::Resource& resource = *target.kind->resource;
  const auto kind = doc::find_string(body, "kind");
  const auto version = doc::find_string(body, "apiVersion");
  if (auto same = check_type(*target.kind, body, kind, version); !same) return same;
  const doc::Value* given_metadata = object->if_contains("metadata");
  if (given_metadata && !given_metadata->is_object() && !given_metadata->is_null()) {
    return std::unexpected(
        bad_request(fmt::format("{0} in version \"{1}\" cannot be handled as a {0}: metadata: must be "
                                "an object, not {2}",
                                resource.kind, target.kind->version, doc::to_json(*given_metadata))));
  }
  (*object)["kind"] = resource.kind;
  (*object)["apiVersion"] = resource.api_version();
  doc::Object& metadata = doc::ensure_object(*object, "metadata");
  const auto given = doc::find_string(body, "metadata", "namespace");
  if (!resource.namespaced) {
    metadata.erase("namespace");
  } else if (!given.empty() && given != target.ns) {
    return std::unexpected(
        bad_request(fmt::format("the namespace of the provided object does not match the namespace sent on the "
                                "request")));
  } else {
    metadata["namespace"] = target.ns;
  }
  if (target.name.empty()) return {};
  const auto name = doc::find_string(body, "metadata", "name");
  if (!name.empty() && name != target.name) {
    return std::unexpected(bad_request(
        fmt::format("the name of the object ({}) does not match the name on the URL ({})", name, target.name)));
  }
  metadata["name"] = target.name;
  return {};
}

void take_member(doc::Value& object, const doc::Value& from, std::string_view member) {
  if (const doc::Value* found = doc::find(from, member)) {
    object.get_object()[member] = *found;
  } else {
    object.get_object().erase(member);
  }
}

/// A namespace's are written at /finalize alone, and nothing else there.
void keep_finalizers(const Target& target, doc::Value& object, const doc::Value& before) {
  const bool is_finalize = target.subresource == "finalize";
  doc::Value kept = is_finalize ? before : object;
  doc::Value& finalizers = doc::ensure_object(kept.get_object(), "spec")["finalizers"];
  const doc::Value* found = doc::find(is_finalize ? object : before, "spec", "finalizers");
  finalizers = found && found->is_array() ? *found : doc::Value(doc::Array());
  if (is_finalize) {
    const doc::Value* version = doc::find(object, "metadata", "resourceVersion");
    doc::ensure_object(kept.get_object(), "metadata")["resourceVersion"] = version ? *version : doc::Value();
  }
  object = std::move(kept);
}

/// Which a pod was given as it was made.
void keep_priority(doc::Value& pod, const doc::Value& before) {
  doc::Object& spec = doc::ensure_object(pod.get_object(), "spec");
  for (const char* member : {"priority", "preemptionPolicy"}) {
    const doc::Value* given = doc::find(before, "spec", member);
    if (given && !spec.contains(member)) spec[member] = *given;
  }
}

/// A write of the object leaves its status alone, one of /status everything but.
void keep_other_part(const Target& target, doc::Value& object, const doc::Value& before) {
  doc::Object& metadata = doc::ensure_object(object.get_object(), "metadata");
  if (!metadata.contains("uid")) metadata["uid"] = doc::find_string(before, "metadata", "uid");
  if (target.kind->resource == &cluster::kNamespaces) keep_finalizers(target, object, before);
  if (target.subresource == "finalize") return;
  if (target.kind->resource == &cluster::kPods) keep_priority(object, before);
  if (target.kind->resource == &cluster::kServices && target.subresource.empty()) keep_allocated(object, before);
  if (target.subresource == "status") {
    const doc::Value* status = doc::find(object, "status");
    doc::Value kept = before;
    // Through the status of Kubernetes' own kinds one reaches their metadata too.
    if (target.kind->is_struct()) take_member(kept, object, "metadata");
    if (status) {
      kept.get_object()["status"] = *status;
    } else {
      kept.get_object().erase("status");
    }
    // That a status was written to this very state can still be demanded.
    const doc::Value* version = doc::find(object, "metadata", "resourceVersion");
    doc::ensure_object(kept.get_object(), "metadata")["resourceVersion"] = version ? *version : doc::Value();
    object = std::move(kept);
  } else if (target.kind->has_status) {
    take_member(object, before, "status");
  }
}

/// Who replaces an object may say which one is meant.
Outcome<void> check_uid(const Target& target, const doc::Value& body, const doc::Value& before) {
  const auto given = doc::find_string(body, "metadata", "uid");
  const auto known = doc::find_string(before, "metadata", "uid");
  if (given.empty() || given == known) return {};
  const cluster::Resource& resource = *target.kind->resource;
  const std::string place = target.ns.empty() ? target.name : target.ns + "/" + target.name;
  return std::unexpected(refusal_for(
      target, {Code::kAborted,
               fmt::format("Operation cannot be fulfilled on {} \"{}\": StorageError: invalid object, Code: 4, Key: "
                           "/registry/{}/{}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in "
                           "precondition: {}, UID in object meta: {}",
                           resource.qualified, target.name, resource.plural, place, given, known)}));
}

/// A patch may not make another object of it.
Outcome<void> check_same_place(const Target& target, const doc::Value& object) {
  const auto name = doc::find_string(object, "metadata", "name");
  if (!name.empty() && name != target.name) {
    return std::unexpected(bad_request(
        fmt::format("the name of the object ({}) does not match the name on the URL ({})", name, target.name)));
  }
  const auto ns = doc::find_string(object, "metadata", "namespace");
  if (ns.empty() || target.ns.empty() || ns == target.ns) return {};
  return std::unexpected(
      bad_request("the namespace of the provided object does not match the namespace sent on the request"));
}

/// Fields that nobody knows cannot be owned.
Outcome<void> check_declared(const Target& target, const doc::Value& config) {
  if (!target.kind->is_struct() && !target.kind->custom) return {};
  const auto unknown = schema::unknown_fields(*target.kind->type, config);
  if (unknown.empty()) return {};
  std::string told;
  for (const std::string& field : unknown) {
    told += fmt::format("{}.{}: field not declared in schema", unknown.size() > 1 ? "\n  " : "", field);
  }
  const std::string place = target.ns.empty() ? "/" + target.name : target.ns + "/" + target.name;
  return std::unexpected(Refusal{
      500, "",
      fmt::format("failed to create typed patch object ({}; {}, Kind={}): {}{}", place,
                  target.kind->resource->group.empty() ? "/" + target.kind->version : target.kind->api_version(),
                  target.kind->resource->kind, unknown.size() > 1 ? "errors:" : "", told)});
}

FieldWriter writer_of(const Target& target, const WriteOptions& options, const std::string& api_version, Time now) {
  FieldWriter writer{.manager = options.field_manager,
                     .api_version = api_version,
                     .kind = target.kind->resource->kind,
                     .subresource = target.subresource,
                     .time = now,
                     .type = target.kind->type};
  if (target.kind->has_status) writer.reset = reset_fields(api_version, writer.kind, target.subresource);
  return writer;
}

/// What a write means for the owners of fields. Gives `live` back when nothing else has changed.
void track(const Target& target, const WriteOptions& options, const doc::Value* live, doc::Value& object, Time now) {
  if (options.field_manager.empty()) return;
  const std::string api_version = target.kind->api_version();
  track_update(live, object, writer_of(target, options, api_version, now));
  if (live && differs_in_times_only(*live, object)) object = *live;
}

bool is_scale(const Target& target) {
  return target.subresource == "scale";
}

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

cluster::Object without_version(doc::Value object) {
  doc::ensure_object(object.get_object(), "metadata").erase("resourceVersion");
  return std::make_shared<const doc::Value>(std::move(object));
}

Outcome<cluster::Object> served(const Target& target, Result<cluster::Object> result) {
  if (!result) return std::unexpected(refusal_for(target, result.error()));
  if (is_scale(target)) return std::make_shared<const doc::Value>(scale_of(**result));
  return as_served(*target.kind, *result);
}

}  // namespace

Outcome<void> ObjectApi::allow(const Caller* caller, const Attributes& asked) const {
  if (!caller || !authorizer_) return {};
  const Decision decision = authorizer_->decide(*caller, asked);
  if (decision.allowed) return {};
  return std::unexpected(Refusal{403, "Forbidden", forbidden_message(*caller, asked, decision.reason)});
}

Outcome<void> ObjectApi::allow(const Target& target, std::string_view verb) const {
  const cluster::Resource& resource = *target.kind->resource;
  // A namespace is told to be in itself: who may read all of it may read it too.
  const bool is_namespace = &resource == &cluster::kNamespaces;
  auto allowed = allow(target.caller.get(), {.verb = verb,
                                             .group = resource.group,
                                             .resource = resource.plural,
                                             .subresource = target.subresource,
                                             .ns = is_namespace ? target.name : target.ns,
                                             .name = target.name});
  if (allowed) return {};
  if (!target.name.empty()) allowed.error().details["name"] = target.name;
  if (!resource.group.empty()) allowed.error().details["group"] = resource.group;
  allowed.error().details["kind"] = resource.plural;
  return allowed;
}

void ObjectApi::get(const Target& target, Reply<cluster::Object> reply) {
  if (auto allowed = allow(target, "get"); !allowed) return reply(std::unexpected(std::move(allowed.error())));
  store_.get(target.key(), [target, reply = std::move(reply)](Result<cluster::Object> result) mutable {
    reply(served(target, std::move(result)));
  });
}

void ObjectApi::list(const Target& target, cluster::ListOptions options, Reply<cluster::List> reply) {
  Target named = target;
  // Who may list objects by their names must name them.
  for (const cluster::Requirement& one : options.fields.requirements()) {
    if (one.key == "metadata.name" && one.op == cluster::Requirement::Op::kEquals) named.name = one.values.front();
  }
  if (auto allowed = allow(named, "list"); !allowed) return reply(std::unexpected(std::move(allowed.error())));
  options.ns = target.ns;
  store_.list(*target.kind->resource, std::move(options),
              [target, reply = std::move(reply)](Result<cluster::List> result) mutable {
                if (!result) return reply(std::unexpected(refusal_for(target, result.error())));
                for (cluster::Object& item : result->items) item = as_served(*target.kind, item);
                reply(std::move(*result));
              });
}

std::unique_ptr<cluster::Watch> ObjectApi::watch(const Target& target, cluster::WatchOptions options,
                                                 cluster::WatchSink sink) {
  options.ns = target.ns;
  if (target.kind->version != target.kind->resource->version) {
    sink.on_event = [target, tell = std::move(sink.on_event)](const cluster::WatchEvent& event) mutable {
      tell({event.type, as_served(*target.kind, event.object)});
    };
  }
  return store_.watch(*target.kind->resource, std::move(options), std::move(sink));
}

void ObjectApi::create(const Target& target, doc::Value body, const WriteOptions& options, Reply<Written> reply) {
  if (auto allowed = allow(target, "create"); !allowed) return reply(std::unexpected(std::move(allowed.error())));
  if (is_review(*target.kind->resource)) {
    const Caller caller = target.caller ? *target.caller : plane_owner();
    auto settled = settle_identity(target, body);
    if (!settled) return reply(std::unexpected(std::move(settled.error())));
    auto answered = answer_review(*target.kind->resource, target.ns, std::move(body), caller,
                                  {.authorizer = authorizer_, .tokens = tokens_, .now = executor_.now()});
    if (!answered) return reply(std::unexpected(std::move(answered.error())));
    return reply(Written{.object = std::make_shared<const doc::Value>(std::move(*answered)), .created = true});
  }
  Warnings warnings;
  const auto read = [&]() -> Outcome<void> {
    if (auto settled = settle_identity(target, body); !settled) return settled;
    if (auto taken = take_in(*target.kind, body, options.validation, Source::kBody, warnings); !taken) return taken;
    if (target.kind->has_status) body.get_object().erase("status");
    if (!doc::find_string(body, "metadata", "resourceVersion").empty()) {
      return std::unexpected(Refusal{500, "", "resourceVersion should not be set on objects to be created"});
    }
    return {};
  };
  if (auto done = read(); !done) return reply(std::unexpected(std::move(done.error())));
  auto admitted = admit_to_namespace(store_, *target.kind, body);
  if (admitted || admitted.error().code != 404 || !options.ensure_namespace) {
    if (!admitted) return reply(std::unexpected(std::move(admitted.error())));
    return create_in_namespace(target, std::move(body), options, std::move(warnings), std::move(reply));
  }
  doc::Value made = doc::Object{{"metadata", doc::Object{{"name", target.ns}}}};
  create({.kind = kinds_.find_kind("v1", "Namespace"), .caller = target.caller}, std::move(made),
         {.dry_run = options.dry_run},
         [this, target, options, body = std::move(body), warnings = std::move(warnings),
          reply = std::move(reply)](Outcome<Written> there) mutable {
           if (!there && there.error().reason != "AlreadyExists") {
             return reply(std::unexpected(std::move(there.error())));
           }
           create_in_namespace(target, std::move(body), options, std::move(warnings), std::move(reply));
         });
}

Outcome<void> ObjectApi::complete_new(const Target& target, doc::Value& object) const {
  if (admission_) {
    if (const Status filled = admission_->fill(*target.kind->resource, object); !filled) {
      auto name = doc::find_string(object, "metadata", "name");
      if (name.empty()) name = doc::find_string(object, "metadata", "generateName");
      return std::unexpected(refusal_of(filled.error(), target.kind->resource, name));
    }
  }
  return finish(target, object, nullptr);
}

Outcome<void> ObjectApi::finish(const Target& target, doc::Value& object, const doc::Value* before) const {
  auto completed = complete(*target.kind, object, before);
  if (completed) completed = check_grants(target, authorizer_, store_, before, object);
  if (!completed || !admission_ || !target.subresource.empty()) return completed;
  const auto errors = admission_->allocate(*target.kind->resource, object);
  if (errors.empty()) return {};
  return std::unexpected(refuse_invalid(*target.kind->resource, doc::find_string(object, "metadata", "name"), errors));
}

void ObjectApi::create_in_namespace(const Target& target, doc::Value object, const WriteOptions& options,
                                    Warnings warnings, Reply<Written> reply) {
  if (auto completed = complete_new(target, object); !completed) {
    return reply(std::unexpected(std::move(completed.error())));
  }
  track(target, options, nullptr, object, executor_.now());
  Target made = target;
  made.name = doc::find_string(object, "metadata", "name");
  store_.create(*target.kind->resource, std::move(object), {.dry_run = options.dry_run},
                [this, made, dry_run = options.dry_run, warnings = std::move(warnings),
                 reply = std::move(reply)](Result<cluster::Object> result) mutable {
                  if (!result && result.error().code == Code::kAlreadyExists && !made.name.empty()) {
                    return tell_existing(made, result.error(), std::move(reply));
                  }
                  auto stored = served(made, std::move(result));
                  if (!stored) return reply(std::unexpected(std::move(stored.error())));
                  // What is nowhere has no version.
                  if (dry_run) *stored = without_version(**stored);
                  reply(Written{.object = std::move(*stored), .created = true, .warnings = std::move(warnings)});
                });
}

void ObjectApi::tell_existing(const Target& target, Error error, Reply<Written> reply) {
  store_.get(target.key(),
             [target, error = std::move(error), reply = std::move(reply)](Result<cluster::Object> there) mutable {
               if (there && !doc::find_string(**there, "metadata", "deletionTimestamp").empty()) {
                 error.message = "object is being deleted: " + error.message;
               }
               reply(std::unexpected(refusal_for(target, error)));
             });
}

void ObjectApi::create_part(const Target& target, doc::Value body, const WriteOptions& options, Reply<Written> reply) {
  if (auto allowed = allow(target, "create"); !allowed) return reply(std::unexpected(std::move(allowed.error())));
  Target whole = target;
  whole.subresource.clear();
  whole.caller.reset();
  if (target.subresource == "eviction") {
    // No budget holds on a plane of one machine: to evict is to delete.
    RemoveOptions deletion;
    deletion.dry_run = options.dry_run;
    if (const doc::Value* grace = doc::find(body, "deleteOptions", "gracePeriodSeconds"); grace && grace->is_int64()) {
      deletion.grace_seconds = static_cast<int>(std::clamp<std::int64_t>(grace->get_int64(), 0, 1 << 30));
    }
    return remove(whole, deletion, [reply = std::move(reply)](Outcome<Removed> removed) mutable {
      if (!removed) return reply(std::unexpected(std::move(removed.error())));
      doc::Object done{{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", doc::Object()}, {"status", "Success"}};
      reply(Written{.object = std::make_shared<const doc::Value>(std::move(done)), .created = true});
    });
  }
  get(whole,
      [this, target, body = std::move(body), reply = std::move(reply)](Outcome<cluster::Object> account) mutable {
        if (!account) return reply(std::unexpected(std::move(account.error())));
        request_token(target, std::move(body), *account, std::move(reply));
      });
}

void ObjectApi::request_token(const Target& target, doc::Value body, const cluster::Object& account,
                              Reply<Written> reply) {
  constexpr std::int64_t kDefaultSeconds = 3600, kLeastSeconds = 600, kMostSeconds = std::int64_t{1} << 32;
  if (!tokens_) return reply(std::unexpected(bad_request("this plane gives no tokens")));
  std::int64_t seconds = kDefaultSeconds;
  if (const doc::Value* asked = doc::find(body, "spec", "expirationSeconds"); asked && asked->is_int64()) {
    seconds = asked->get_int64();
  }
  if (seconds < kLeastSeconds || seconds > kMostSeconds) {
    return reply(std::unexpected(refuse_invalid(*target.kind->resource, target.name,
                                                {schema::invalid("spec.expirationSeconds", doc::Value(seconds),
                                                                 "may not specify a duration less than 10 minutes")})));
  }
  ServiceToken token{.ns = target.ns,
                     .name = target.name,
                     .uid = std::string(doc::find_string(*account, "metadata", "uid")),
                     .issued = executor_.now(),
                     .expires = executor_.now() + std::chrono::seconds(seconds)};
  if (const doc::Value* audiences = doc::find(body, "spec", "audiences"); audiences && audiences->is_array()) {
    for (const doc::Value& audience : audiences->get_array()) token.audiences.push_back(doc::scalar_text(audience));
  }
  auto text = tokens_->sign(token);
  if (!text) return reply(std::unexpected(refusal_of(text.error())));
  if (!body.is_object()) body.emplace_object();
  doc::Object& answer = body.get_object();
  answer["kind"] = "TokenRequest";
  answer["apiVersion"] = "authentication.k8s.io/v1";
  doc::Object& metadata = doc::ensure_object(answer, "metadata");
  metadata["name"] = target.name;
  metadata["namespace"] = target.ns;
  doc::ensure_object(answer, "spec")["expirationSeconds"] = seconds;
  answer["status"] = doc::Object{{"token", *text}, {"expirationTimestamp", format_rfc3339(token.expires)}};
  reply(Written{.object = std::make_shared<const doc::Value>(std::move(body)), .created = true});
}

void ObjectApi::change(const Target& target, const WriteOptions& options, Make make, Reply<Written> reply) {
  struct State {
    std::optional<Refusal> refusal;
    Warnings warnings;
    bool created = false;
  };
  auto state = std::make_shared<State>();
  auto attempt = [target, state, make = std::move(make)](const cluster::Object& newest) mutable -> Result<doc::Value> {
    state->created = !newest;
    auto made = make(newest, state->warnings);
    if (made) return std::move(*made);
    state->refusal = std::move(made.error());
    return fail(Code::kInvalidArgument, state->refusal->message);
  };
  store_.modify(
      target.key(), std::move(attempt), {.dry_run = options.dry_run},
      [target, state, dry_run = options.dry_run, reply = std::move(reply)](Result<cluster::Object> result) mutable {
        if (state->refusal) return reply(std::unexpected(std::move(*state->refusal)));
        auto object = served(target, std::move(result));
        if (!object) return reply(std::unexpected(std::move(object.error())));
        if (dry_run && state->created) *object = without_version(**object);
        reply(Written{.object = std::move(*object), .created = state->created, .warnings = std::move(state->warnings)});
      });
}

Outcome<doc::Value> ObjectApi::scaled(const Target& target, const WriteOptions& options, const cluster::Object& newest,
                                      const doc::Value& scale) const {
  if (!newest) return std::unexpected(not_found(target));
  doc::Value object = *newest;
  if (auto taken = take_scale(*target.kind, object, scale); !taken) return std::unexpected(taken.error());
  track(target, options, newest.get(), object, executor_.now());
  return object;
}

void ObjectApi::update(const Target& target, doc::Value body, const WriteOptions& options, Reply<Written> reply) {
  if (auto allowed = allow(target, "update"); !allowed) return reply(std::unexpected(std::move(allowed.error())));
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
  // Only the built-in kinds of Kubernetes take a write of whatever state there is.
  if (settled && !target.kind->type_name.starts_with("io.k8s.") &&
      doc::find_string(body, "metadata", "resourceVersion").empty()) {
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
        doc::Value object = is_scale(target) ? scale_of(*newest) : *newest;
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
        track(target, options, newest.get(), object, executor_.now());
        return object;
      },
      std::move(reply));
}

void ObjectApi::apply(const Target& target, doc::Value config, const WriteOptions& options, Reply<Written> reply) {
  if (auto allowed = allow(target, "patch"); !allowed) return reply(std::unexpected(std::move(allowed.error())));
  auto settled = settle_identity(target, config);
  if (is_scale(target)) settled = std::unexpected(bad_request("server-side apply of /scale is not served: patch it"));
  if (settled && options.field_manager.empty()) {
    settled = std::unexpected(Refusal{422, "Invalid",
                                      "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is "
                                      "required for apply patch"});
  }
  if (!settled) return reply(std::unexpected(std::move(settled.error())));
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
        if (newest && differs_in_times_only(*newest, *merged)) return *newest;
        return std::move(*merged);
      },
      std::move(reply));
}

void ObjectApi::mark_propagation(const Target& target, RemoveOptions& options) {
  using cluster::Propagation;
  const cluster::Resource& resource = *target.kind->resource;
  if (!cluster::propagates(resource) || options.dry_run) return;
  if (options.propagation == Propagation::kDefault) options.propagation = cluster::default_propagation(resource);
  if (options.propagation == Propagation::kBackground) return;
  const std::string_view wanted =
      options.propagation == Propagation::kForeground ? cluster::kForegroundFinalizer : cluster::kOrphanFinalizer;
  const Error unmet{Code::kFailedPrecondition, "the removal tells why"};
  auto mark = [&](const cluster::Object& newest) -> Result<doc::Value> {
    const bool is_meant = newest &&
                          (options.uid.empty() || options.uid == doc::find_string(*newest, "metadata", "uid")) &&
                          (options.resource_version.empty() ||
                           options.resource_version == doc::find_string(*newest, "metadata", "resourceVersion"));
    if (!is_meant) return std::unexpected(unmet);
    options.resource_version.clear();
    doc::Value object = *newest;
    doc::Value& list = doc::ensure_object(object.get_object(), "metadata")["finalizers"];
    if (!list.is_array()) list = doc::Array();
    doc::Array kept;
    for (const doc::Value& one : list.get_array()) {
      if (one != doc::Value(cluster::kForegroundFinalizer) && one != doc::Value(cluster::kOrphanFinalizer)) {
        kept.push_back(one);
      }
    }
    kept.emplace_back(wanted);
    list = std::move(kept);
    return object;
  };
  store_.modify(target.key(), mark, {}, [](const Result<cluster::Object>&) {});
}

void ObjectApi::remove(const Target& target, RemoveOptions options, Reply<Removed> reply) {
  if (auto allowed = allow(target, "delete"); !allowed) return reply(std::unexpected(std::move(allowed.error())));
  mark_propagation(target, options);
  store_.remove(target.key(), std::move(options),
                [this, target, reply = std::move(reply)](Result<cluster::Object> result) mutable {
                  auto object = served(target, std::move(result));
                  if (!object && object.error().code == 409)
                    object.error().details["kind"] = target.kind->resource->kind;
                  if (!object) return reply(std::unexpected(std::move(object.error())));
                  const bool waits = !doc::find_string(**object, "metadata", "deletionTimestamp").empty();
                  reply(Removed{.object = std::move(*object), .gone = !waits || !store_.has(target.key())});
                });
}

void ObjectApi::remove_all(const Target& target, cluster::ListOptions which, const RemoveOptions& options,
                           Reply<cluster::List> reply) {
  if (auto allowed = allow(target, "deletecollection"); !allowed)
    return reply(std::unexpected(std::move(allowed.error())));
  Target trusted = target;
  trusted.caller.reset();
  list(trusted, std::move(which),
       [this, target = trusted, options, reply = std::move(reply)](Outcome<cluster::List> found) mutable {
         if (!found || found->items.empty()) return reply(std::move(found));
         struct Rest {
           std::size_t count;
           cluster::List list;
           std::optional<Refusal> refusal;
           Reply<cluster::List> reply;
         };
         auto rest = std::make_shared<Rest>(found->items.size(), std::move(*found), std::nullopt, std::move(reply));
         for (const cluster::Object& item : rest->list.items) {
           Target one = target;
           one.ns = doc::find_string(*item, "metadata", "namespace");
           one.name = doc::find_string(*item, "metadata", "name");
           remove(one, options, [rest](Outcome<Removed> removed) {
             // Somebody else may have been faster.
             if (!removed && removed.error().code != 404) rest->refusal = std::move(removed.error());
             if (--rest->count > 0) return;
             if (rest->refusal) return rest->reply(std::unexpected(std::move(*rest->refusal)));
             rest->reply(std::move(rest->list));
           });
         }
       });
}

}  // namespace tiphys::objects
