#include "objects/custom_kinds.h"

#include <algorithm>

#include "base/log.h"
#include "cluster/custom_definition.h"
#include "objects/custom_kind.h"

namespace tiphys::objects {
namespace {

using cluster::kCustomResourceDefinitions;

cluster::Key key_of(const doc::Value& definition) {
  return {&kCustomResourceDefinitions, "", std::string(doc::find_string(definition, "metadata", "name"))};
}

bool is_going(const doc::Value& definition) {
  return !doc::find_string(definition, "metadata", "deletionTimestamp").empty();
}

bool is_established(const doc::Value& definition) {
  const doc::Value* conditions = doc::find(definition, "status", "conditions");
  if (!conditions || !conditions->is_array()) return false;
  return std::ranges::any_of(conditions->get_array(), [](const doc::Value& condition) {
    return doc::find_string(condition, "type") == "Established" && doc::find_string(condition, "status") == "True";
  });
}

doc::Object condition(const char* type, const char* reason, const char* message, const std::string& at) {
  return {{"type", type}, {"status", "True"}, {"lastTransitionTime", at}, {"reason", reason}, {"message", message}};
}

/// What the status says of names: as the spec has them, and that they are served.
void establish(doc::Value& definition, const std::string& at) {
  const doc::Value* names = doc::find(definition, "spec", "names");
  doc::Object status;
  const doc::Value* before = doc::find(definition, "status");
  if (before && before->is_object()) status = before->get_object();
  status["acceptedNames"] = names ? *names : doc::Value(doc::Object());
  status["conditions"] =
      doc::Array{condition("NamesAccepted", "NoConflicts", "no conflicts found", at),
                 condition("Established", "InitialNamesAccepted", "the initial names have been accepted", at)};
  const auto stored = cluster::names_of(definition);
  doc::Array versions;
  if (const doc::Value* old = before ? doc::find(*before, "storedVersions") : nullptr; old && old->is_array()) {
    versions = old->get_array();
  }
  if (stored && std::ranges::find(versions, doc::Value(stored->version)) == versions.end()) {
    versions.emplace_back(stored->version);
  }
  status["storedVersions"] = std::move(versions);
  definition.get_object()["status"] = std::move(status);
}

void add_finalizer(doc::Value& definition) {
  doc::Value& list = doc::ensure_object(definition.get_object(), "metadata")["finalizers"];
  doc::Array& finalizers = list.is_array() ? list.get_array() : list.emplace_array();
  if (std::ranges::find(finalizers, doc::Value(kDefinitionFinalizer)) == finalizers.end()) {
    finalizers.emplace_back(kDefinitionFinalizer);
  }
}

}  // namespace

Result<std::unique_ptr<CustomKinds>> CustomKinds::start(Executor& executor, store::Store& store, Kinds& kinds) {
  auto custom = std::make_unique<CustomKinds>(executor, store, kinds);
  const std::uint64_t version = store.resource_version();
  TIPHYS_TRY(const auto definitions, store.snapshot(kCustomResourceDefinitions));
  for (const cluster::Object& definition : definitions) custom->put(definition);
  custom->follow(version);
  return custom;
}

void CustomKinds::follow(std::uint64_t from) {
  cluster::WatchSink sink;
  sink.on_event = [this](const cluster::WatchEvent& event) {
    if (event.type == cluster::WatchEvent::Type::kSynced) return;
    event.type == cluster::WatchEvent::Type::kDeleted ? remove(*event.object) : put(event.object);
  };
  sink.on_end = [this](const Error& error) {
    log::warn("the definitions of custom resources are followed anew: {}", error.message);
    executor_.post([this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) follow(0);
    });
  };
  watch_ = store_.watch(kCustomResourceDefinitions, {.resource_version = from}, std::move(sink));
}

void CustomKinds::put(const cluster::Object& definition) {
  kinds_.set_custom(doc::find_string(*definition, "spec", "group"),
                    doc::find_string(*definition, "spec", "names", "plural"), make_custom_kinds(*definition));
  if (is_going(*definition)) return clear_out(definition);
  if (!is_established(*definition)) tell_established(definition);
}

void CustomKinds::remove(const doc::Value& definition) {
  kinds_.set_custom(doc::find_string(definition, "spec", "group"),
                    doc::find_string(definition, "spec", "names", "plural"), {});
}

void CustomKinds::tell_established(const cluster::Object& definition) {
  store_.modify(
      key_of(*definition),
      [at = format_rfc3339(executor_.now())](const cluster::Object& newest) -> Result<doc::Value> {
        if (!newest || is_going(*newest)) return fail(Code::kNotFound, "the definition is gone");
        doc::Value next = *newest;
        establish(next, at);
        add_finalizer(next);
        return next;
      },
      {},
      [](const Result<cluster::Object>& written) {
        if (!written && written.error().code != Code::kNotFound) {
          log::warn("the status of a CustomResourceDefinition: {}", written.error().message);
        }
      });
}

void CustomKinds::clear_out(const cluster::Object& definition) {
  const auto names = cluster::names_of(*definition);
  const cluster::Resource* resource = names ? cluster::find_resource_by_plural(names->group, names->plural) : nullptr;
  if (!resource) return;
  store_.list(*resource, {},
              [this, definition, resource, alive = std::weak_ptr(alive_)](const Result<cluster::List>& list) {
                if (alive.expired()) return;
                if (!list) return log::warn("the objects of a CustomResourceDefinition: {}", list.error().message);
                if (list->items.empty()) return let_go(*definition);
                remove_some(definition, *resource, *list);
              });
}

void CustomKinds::remove_some(const cluster::Object& definition, const cluster::Resource& resource,
                              const cluster::List& list) {
  cluster::WatchSink sink;
  sink.on_event = [this, definition](const cluster::WatchEvent& event) {
    if (event.type != cluster::WatchEvent::Type::kDeleted) return;
    // Not from within its own call.
    executor_.post([this, definition, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) clear_out(definition);
    });
  };
  sink.on_end = [](const Error&) {};  // a list is short of nothing: the next event of the definition looks again
  ends_[std::string(doc::find_string(*definition, "metadata", "name"))] =
      store_.watch(resource, {.resource_version = list.resource_version}, std::move(sink));
  for (const cluster::Object& item : list.items) {
    if (is_going(*item)) continue;
    const cluster::Key key{&resource, std::string(doc::find_string(*item, "metadata", "namespace")),
                           std::string(doc::find_string(*item, "metadata", "name"))};
    store_.remove(key, {}, [](const Result<cluster::Object>& removed) {
      if (!removed && removed.error().code != Code::kNotFound) {
        log::warn("an object of a CustomResourceDefinition: {}", removed.error().message);
      }
    });
  }
}

void CustomKinds::let_go(const doc::Value& definition) {
  ends_.erase(std::string(doc::find_string(definition, "metadata", "name")));
  store_.modify(
      key_of(definition),
      [](const cluster::Object& newest) -> Result<doc::Value> {
        if (!newest) return fail(Code::kNotFound, "the definition is gone");
        doc::Value next = *newest;
        doc::Value* finalizers = next.at("metadata").get_object().if_contains("finalizers");
        if (!finalizers || !finalizers->is_array()) return next;
        auto& all = finalizers->get_array();
        const auto found = std::ranges::find(all, doc::Value(kDefinitionFinalizer));
        if (found != all.end()) all.erase(found);
        return next;
      },
      {},
      [](const Result<cluster::Object>& written) {
        if (!written && written.error().code != Code::kNotFound) {
          log::warn("the end of a CustomResourceDefinition: {}", written.error().message);
        }
      });
}

}  // namespace tiphys::objects
