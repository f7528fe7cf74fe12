#include "objects/object_api.h"

#include <fmt/format.h>

#include <algorithm>

#include "objects/admission.h"
#include "objects/intake.h"
#include "objects/namespaces.h"
#include "objects/object_request.h"
#include "objects/rbac_rules.h"
#include "objects/reviews.h"

namespace tiphys::objects {

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
  options.as_json = options.as_json && target.kind->as_stored();
  store_.list(target.kind->stored(), std::move(options),
              [target, reply = std::move(reply)](Result<cluster::List> result) mutable {
                if (!result) return reply(std::unexpected(refusal_for(target, result.error())));
                for (cluster::Object& item : result->items) item = as_served(*target.kind, item);
                reply(std::move(*result));
              });
}

std::unique_ptr<cluster::Watch> ObjectApi::watch(const Target& target, cluster::WatchOptions options,
                                                 cluster::WatchSink sink) {
  options.ns = target.ns;
  if (!target.kind->as_stored()) {
    options.as_json = false;
    sink.on_event = [target, tell = std::move(sink.on_event)](const cluster::WatchEvent& event) mutable {
      tell({event.type, as_served(*target.kind, event.object)});
    };
  }
  return store_.watch(target.kind->stored(), std::move(options), std::move(sink));
}

void ObjectApi::create(const Target& target, doc::Value body, const WriteOptions& options, Reply<Written> reply) {
  if (auto allowed = allow(target, "create"); !allowed) return reply(std::unexpected(std::move(allowed.error())));
  if (is_review(*target.kind->resource)) {
    const Caller caller = target.caller ? *target.caller : plane_owner();
    auto settled = settle_identity(target, body);
    if (!settled) return reply(std::unexpected(std::move(settled.error())));
    auto answered =
        answer_review(*target.kind->resource, target.ns, std::move(body), caller,
                      {.authorizer = authorizer_, .tokens = tokens_, .store = &store_, .now = executor_.now()});
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
  warn(target, object, nullptr, warnings);
  Target made = target;
  made.name = doc::find_string(object, "metadata", "name");
  store_.create(target.kind->stored(), to_store(*target.kind, std::move(object)), {.dry_run = options.dry_run},
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
  if (target.subresource == "eviction") return evict(whole, body, options.dry_run, std::move(reply));
  get(whole,
      [this, target, body = std::move(body), reply = std::move(reply)](Outcome<cluster::Object> account) mutable {
        if (!account) return reply(std::unexpected(std::move(account.error())));
        request_token(target, std::move(body), *account, std::move(reply));
      });
}

/// The pod that the token is to end with, if it names one.
std::optional<Refusal> ObjectApi::bind_to_pod(const doc::Value& request, ServiceToken& token) {
  if (doc::find_string(request, "spec", "boundObjectRef", "kind") != "Pod") return std::nullopt;
  const std::string name(doc::find_string(request, "spec", "boundObjectRef", "name"));
  const std::string_view uid = doc::find_string(request, "spec", "boundObjectRef", "uid");
  const auto pod = store_.newest({&cluster::kPods, token.ns, name});
  if (!pod) return refusal_of(pod.error());
  if (!*pod) {
    return refusal_of({.code = Code::kNotFound, .message = fmt::format("pods \"{}\" not found", name)}, &cluster::kPods,
                      name);
  }
  token.pod_name = name;
  token.pod_uid = doc::find_string(**pod, "metadata", "uid");
  if (uid.empty() || uid == token.pod_uid) return std::nullopt;
  return refusal_of({.code = Code::kAborted,
                     .message = fmt::format("the UID in the bound object reference ({}) does not match the UID in "
                                            "record. The object might have been deleted and then recreated",
                                            uid)},
                    &cluster::kPods, name);
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
  if (auto refused = bind_to_pod(body, token)) return reply(std::unexpected(std::move(*refused)));
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

}  // namespace tiphys::objects
