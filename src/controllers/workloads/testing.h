// A plane in memory for tests of the workload controllers, whose pods do what the test says.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "cluster/pod_phase.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/pods.h"
#include "controllers/workloads/workload_controllers.h"
#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers::workloads {

class TestPlane {
 public:
  explicit TestPlane(std::string path = ":memory:", std::uint64_t seed = 1) : store_({.path = path, .seed = seed}) {
    start();
  }
  /// A controller that knows nothing goes on from what the plane holds.
  void restart() {
    controllers_.reset();
    start();
  }
  store::TestStore& store() { return store_; }
  void run() { store_.run(); }
  Time now() { return store_.executor().now(); }
  /// Lets time pass.
  void advance(Duration duration) {
    const Time then = now() + duration;
    bool reached = false;
    store_.executor().schedule(then, [&] { reached = true; });
    store_.executor().run_until([&] { return reached; });
    run();
  }

  cluster::Object make(const cluster::Resource& resource, std::string_view yaml) {
    auto documents = doc::parse_yaml(yaml, "test.yaml");
    EXPECT_TRUE(documents && documents->size() == 1) << yaml;
    doc::Value object = std::move(documents->front().root);
    doc::ensure_object(object.as_object(), "metadata")["namespace"] = "default";
    auto made = store_.create(resource, std::move(object));
    EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message);
    run();
    return made ? *made : nullptr;
  }
  cluster::Object get(const cluster::Resource& resource, std::string_view name) {
    auto found = store_.get({&resource, "default", std::string(name)});
    return found ? *found : nullptr;
  }
  std::string field(const cluster::Resource& resource, std::string_view name, const char* outer, const char* inner) {
    const auto object = get(resource, name);
    const doc::Value* found = object ? doc::find(*object, outer, inner) : nullptr;
    return found ? doc::scalar_text(*found) : "";
  }
  std::vector<cluster::Object> all(const cluster::Resource& resource) {
    auto list = store_.list(resource);
    return list ? list->items : std::vector<cluster::Object>();
  }
  std::vector<cluster::Object> active_pods() {
    std::vector<cluster::Object> found;
    for (const auto& pod : all(cluster::kPods)) {
      if (is_active(*pod)) found.push_back(pod);
    }
    return found;
  }
  void merge(const cluster::Resource& resource, std::string_view name, std::string_view json) {
    patch_quietly(resource, name, json);
    run();
  }
  // The quiet ones wait for their own answer alone.
  void patch_quietly(const cluster::Resource& resource, std::string_view name, std::string_view json) {
    auto patch = doc::parse_json(json);
    EXPECT_TRUE(patch.has_value()) << json;
    const auto done = store_.patch({&resource, "default", std::string(name)}, cluster::PatchType::kMerge, *patch);
    EXPECT_TRUE(done.has_value() || done.error().code == Code::kNotFound) << done.error().message;
  }
  /// One turn, without moving time.
  void turn() {
    bool reached = false;
    store_.executor().post([&] { reached = true; });
    while (!reached) store_.executor().step();
  }
  /// New controllers in place of the old ones, in the middle of whatever they do. What they have written is kept.
  void crash() {
    controllers_.reset();
    run();
    controllers_.emplace(store_.executor(), store_.store());
    controllers_->start();
  }

  // What a kubelet does.
  void run_pod(const doc::Value& pod) {
    run_pod_quietly(pod);
    run();
  }
  void run_pod_quietly(const doc::Value& pod) {
    patch_quietly(
        cluster::kPods, name_of(pod),
        doc::to_json(doc::Object{
            {"spec", doc::Object{{"nodeName", "here"}}},
            {"status",
             doc::Object{{"phase", "Running"},
                         {"conditions", doc::Array{doc::Object{{"type", "Ready"},
                                                               {"status", "True"},
                                                               {"lastTransitionTime", format_rfc3339(now())}}}}}}}));
  }
  void end_pod(const doc::Value& pod, int exit_code) {
    end_pod_quietly(pod, exit_code);
    run();
  }
  void end_pod_quietly(const doc::Value& pod, int exit_code) {
    const doc::Object terminated{{"exitCode", exit_code}, {"finishedAt", format_rfc3339(now())}};
    const doc::Object container{{"name", "main"}, {"state", doc::Object{{"terminated", terminated}}}};
    patch_quietly(cluster::kPods, name_of(pod),
                  doc::to_json(doc::Object{{"status", doc::Object{{"phase", exit_code == 0 ? "Succeeded" : "Failed"},
                                                                  {"containerStatuses", doc::Array{container}}}}}));
  }
  /// Runs whatever waits, ends what is to go, until nothing changes.
  void run_all() {
    for (bool any = true; any;) {
      any = false;
      for (const auto& pod : active_pods()) {
        if (doc::find_string(*pod, "status", "phase") == "Running") continue;
        run_pod(*pod);
        any = true;
      }
      for (const auto& pod : all(cluster::kPods)) any = any || is_deleting(*pod);
      finish_removals();
    }
  }
  /// Ends what is to go.
  void finish_removals() {
    finish_removals_quietly();
    run();
  }
  void finish_removals_quietly() {
    for (const auto& pod : all(cluster::kPods)) {
      if (!is_deleting(*pod)) continue;
      static_cast<void>(store_.remove(key_of(cluster::kPods, *pod), {.grace_seconds = 0}));
    }
  }

 private:
  void start() {
    controllers_.emplace(store_.executor(), store_.store());
    controllers_->start();
    run();
  }

  store::TestStore store_;
  std::optional<WorkloadControllers> controllers_;
};

}  // namespace tiphys::controllers::workloads
