// An object interface over a store in memory, for tests: calls wait for their answers.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "doc/yaml.h"
#include "objects/admission.h"
#include "objects/custom_kinds.h"
#include "objects/object_api.h"
#include "store/testing.h"

namespace tiphys::objects {

inline doc::Value parse_one(std::string_view text) {
  auto parsed = doc::parse_yaml(text, "test");
  EXPECT_TRUE(parsed.has_value()) << parsed.error().message;
  return parsed ? std::move(parsed->at(0).root) : doc::Value();
}

class TestApi {
 public:
  /// `authorizer`: null lets everybody do all.
  explicit TestApi(const Authorizer* authorizer = nullptr) {
    admission_ = std::move(*Admission::start(store_.executor(), store_.store()));
    api_.emplace(ObjectApiParts{.executor = store_.executor(),
                                .store = store_.store(),
                                .kinds = kinds_,
                                .authorizer = authorizer,
                                .admission = admission_.get()});
    custom_ = std::move(*CustomKinds::start(store_.executor(), store_.store(), kinds_));
  }

  template <typename T>
  Outcome<T> wait(std::move_only_function<void(Reply<T>)> start) {
    std::optional<Outcome<T>> answer;
    start([&](Outcome<T> outcome) { answer = std::move(outcome); });
    while (!answer && store_.executor().step()) {
    }
    TIPHYS_CHECK(answer, "each call is answered");
    return std::move(*answer);
  }

  Target target(std::string_view api_version, std::string_view kind, std::string_view name = "") {
    Target made{.kind = kinds_.find_kind(api_version, kind), .name = std::string(name)};
    TIPHYS_CHECK(made.kind, "a test names kinds that there are");
    if (made.kind->resource->namespaced) made.ns = "default";
    return made;
  }

  /// Of the kind that the object itself names.
  Outcome<Written> create(std::string_view yaml, WriteOptions options = {}) {
    doc::Value object = parse_one(yaml);
    const Target to = target(doc::find_string(object, "apiVersion"), doc::find_string(object, "kind"));
    auto written = wait<Written>([&](auto reply) { api_->create(to, std::move(object), options, std::move(reply)); });
    store_.run();
    return written;
  }
  Outcome<Written> update(const Target& to, std::string_view yaml, WriteOptions options = {}) {
    return wait<Written>([&](auto reply) { api_->update(to, parse_one(yaml), options, std::move(reply)); });
  }
  Outcome<Written> patch(const Target& to, cluster::PatchType type, std::string_view yaml, WriteOptions options = {}) {
    return wait<Written>([&](auto reply) { api_->patch(to, type, parse_one(yaml), options, std::move(reply)); });
  }
  Outcome<Removed> remove(const Target& to, RemoveOptions options = {}) {
    auto removed = wait<Removed>([&](auto reply) { api_->remove(to, options, std::move(reply)); });
    store_.run();
    return removed;
  }
  Outcome<cluster::Object> get(const Target& to) {
    return wait<cluster::Object>([&](auto reply) { api_->get(to, std::move(reply)); });
  }
  Outcome<cluster::List> list(const Target& to) {
    return wait<cluster::List>([&](auto reply) { api_->list(to, {}, std::move(reply)); });
  }

  ObjectApi& api() { return *api_; }
  Kinds& kinds() { return kinds_; }
  store::TestStore& store() { return store_; }

 private:
  store::TestStore store_;
  Kinds kinds_;
  std::unique_ptr<CustomKinds> custom_;
  std::unique_ptr<Admission> admission_;
  std::optional<ObjectApi> api_;
};

}  // namespace tiphys::objects
