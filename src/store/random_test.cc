// Random calls, failing commits and restarts against a plain map, with watches that keep copies of their own.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "store/store.h"
#include "store/testing.h"

namespace tiphys::store {
namespace {

using cluster::kConfigMaps;
using cluster::Key;
using cluster::kPods;
using cluster::kWorkflows;
using cluster::PatchType;
using cluster::WatchEvent;

using Objects = std::map<std::string, std::string>;  ///< "resource/name" to JSON

std::string address(const cluster::Resource& resource, const doc::Value& object) {
  return fmt::format("{}/{}", resource.plural, doc::find_string(object, "metadata", "name"));
}

class RandomRun {
 public:
  explicit RandomRun(std::uint64_t seed) : random_(seed) { open(); }

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) {
      issue();
      if (below(4) == 0) store_->run();
      if (below(40) == 0) settle_and_check();
      if (below(150) == 0) {
        settle_and_check();
        open();
      }
    }
    settle_and_check();
  }

 private:
  struct Follower {
    const cluster::Resource* resource;
    Objects copy;
    std::unique_ptr<cluster::Watch> watch;
  };

  enum class Call { kWrite, kRemove, kKill };

  std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }

  void open() {
    followers_.clear();
    store_.reset();
    const auto fail_some = [this] {
      return below(25) == 0 ? Status(fail(Code::kResourceExhausted, "full")) : Status();
    };
    store_ = std::make_unique<TestStore>(TestStore::Options{.path = temp_.path() + "/tiphys.db",
                                                            .most_logged_changes = 50,
                                                            .archive = *cluster::Selector::parse("keep=yes"),
                                                            .before_commit = fail_some,
                                                            .seed = random_.next()});
    for (const auto* resource : kResources) follow(*resource);
  }

  void follow(const cluster::Resource& resource) {
    auto follower = std::make_unique<Follower>(Follower{&resource, {}, nullptr});
    follower->watch = (*store_)->watch(resource, {},
                                       {.on_event =
                                            [self = follower.get()](const WatchEvent& event) {
                                              if (!event.object) return;
                                              const auto at = address(*self->resource, *event.object);
                                              const bool known = self->copy.contains(at);
                                              EXPECT_EQ(known, event.type != WatchEvent::Type::kAdded) << at;
                                              if (event.type == WatchEvent::Type::kDeleted) {
                                                self->copy.erase(at);
                                              } else {
                                                self->copy[at] = doc::to_json(*event.object);
                                              }
                                            },
                                        .on_end = [](const Error& error) { ADD_FAILURE() << error.message; }});
    followers_.push_back(std::move(follower));
  }

  /// Puts an acknowledged answer into the model.
  auto acknowledged(const cluster::Resource& resource, Call call) {
    return [this, &resource, call](const Result<cluster::Object>& result) {
      if (!result) {
        EXPECT_TRUE(expected(result.error().code)) << result.error().message;
        return;
      }
      const auto at = address(resource, **result);
      const bool gone = call == Call::kKill || (call == Call::kRemove && (&resource != &kPods || !running(**result)));
      if (gone) {
        if (ended(**result) && marked(**result)) {
          archived_[std::string(doc::find_string(**result, "metadata", "uid"))] = nodes_[at];
        }
        model_.erase(at);
        nodes_.erase(at);
      } else {
        model_[at] = doc::to_json(**result);
      }
    };
  }
  static bool expected(Code code) {
    return code == Code::kResourceExhausted || code == Code::kNotFound || code == Code::kAlreadyExists ||
           code == Code::kAborted;
  }
  static bool ended(const doc::Value& workflow) {
    return doc::find_string(workflow, "kind") == "Workflow" &&
           doc::find_string(workflow, "metadata", "labels", "workflows.argoproj.io/completed") == "true";
  }
  static bool marked(const doc::Value& workflow) {
    return doc::find_string(workflow, "metadata", "labels", kArchivingStatusLabel) == kArchivedStatus;
  }
  static bool running(const doc::Value& pod) {
    const auto phase = doc::find_string(pod, "status", "phase");
    return phase != "Succeeded" && phase != "Failed";
  }

  void issue() {
    const cluster::Resource& resource = *kResources[below(3)];
    const std::string name = fmt::format("n{}", below(6));
    const Key key{&resource, "default", name};
    Store& store = store_->store();
    if (below(20) == 0 && !archived_.empty()) return unarchive(store);
    switch (below(5)) {
      case 0:
      case 1:
        return store.create(resource,
                            {{"metadata", {{"name", name}, {"labels", {{"keep", below(2) == 0 ? "yes" : "no"}}}}},
                             {"spec", {{"number", below(100)}}}},
                            acknowledged(resource, Call::kWrite));
      case 2:
        return patch(store, key);
      case 3:
        if (below(2) == 0) return store.remove(key, {.grace_seconds = 0}, acknowledged(resource, Call::kKill));
        return store.remove(key, {.grace_seconds = 5}, acknowledged(resource, Call::kRemove));
      case 4:
        if (&resource == &kWorkflows) return update_status(store, key);
        return replace(store, key);
    }
  }

  void patch(Store& store, const Key& key) {
    doc::Value change{{"spec", {{"number", below(100)}}}};
    if (key.resource == &kPods) {
      constexpr const char* kPhases[] = {"Pending", "Running", "Succeeded", "Failed"};
      change.as_object()["status"] = {{"phase", kPhases[below(4)]}};
    } else if (key.resource == &kWorkflows) {
      const doc::Value completed = below(2) == 0 ? doc::Value("true") : doc::Value(nullptr);
      const doc::Value mark = below(2) == 0 ? doc::Value(kArchivedStatus) : doc::Value(nullptr);
      change.as_object()["metadata"] = {
          {"labels", {{"workflows.argoproj.io/completed", completed}, {kArchivingStatusLabel, mark}}}};
    }
    store.patch(key, PatchType::kMerge, change, acknowledged(*key.resource, Call::kWrite));
  }

  void unarchive(Store& store) {
    auto which = archived_.begin();
    std::advance(which, static_cast<std::ptrdiff_t>(below(archived_.size())));
    store.remove_archived(which->first, [this, uid = which->first](const Status& done) {
      if (done) archived_.erase(uid);
    });
  }

  /// An update with a version that may be old.
  void replace(Store& store, const Key& key) {
    const auto found = model_.find(fmt::format("{}/{}", key.resource->plural, key.name));
    if (found == model_.end()) return;
    doc::Value object = *doc::parse_json(found->second);
    object.as_object()["spec"] = {{"number", below(100)}};
    store.update(key, object, acknowledged(*key.resource, Call::kWrite));
  }

  void update_status(Store& store, const Key& key) {
    cluster::WorkflowStatusUpdate update;
    const std::string id = fmt::format("node-{}", below(4));
    const std::string json = below(4) == 0 ? "" : fmt::format(R"({{"n":{}}})", below(100));
    update.nodes.push_back({id, json});
    if (below(2) == 0) update.fields["phase"] = below(2) == 0 ? "Running" : "Error";
    update.completed = below(5) == 0;
    store.update_workflow_status(key, std::move(update), [this, key, id, json](const Status& done) {
      const auto at = fmt::format("{}/{}", key.resource->plural, key.name);
      if (!done) return;
      if (json.empty()) {
        nodes_[at].erase(id);
      } else {
        nodes_[at][id] = json;
      }
      // The answer carries no object.
      status_changed_.insert(at);
    });
  }

  void settle_and_check() {
    // Also over the time in which nothing can be written.
    store_->executor().run_until([] { return false; });
    for (const auto& follower : followers_) {
      const auto list = store_->list(*follower->resource);
      ASSERT_TRUE(list);
      Objects listed;
      for (const auto& item : list->items) listed[address(*follower->resource, *item)] = doc::to_json(*item);
      for (const auto& at : status_changed_) {
        if (listed.contains(at) && model_.contains(at)) model_[at] = listed[at];
      }
      Objects modelled;
      for (const auto& [at, json] : model_) {
        if (at.starts_with(fmt::format("{}/", follower->resource->plural))) modelled[at] = json;
      }
      ASSERT_EQ(listed, modelled);
      ASSERT_EQ(follower->copy, listed);
    }
    status_changed_.clear();
    check_nodes();
    check_archive();
  }

  /// The archive's index has what has ended, and the archive what is gone, each with its nodes.
  void check_archive() {
    std::map<std::string, std::map<std::string, std::string>> expected = archived_;
    const auto list = store_->list(kWorkflows);
    for (const auto& item : list->items) {
      if (ended(*item))
        expected[std::string(doc::find_string(*item, "metadata", "uid"))] = nodes_[address(kWorkflows, *item)];
    }
    std::map<std::string, std::map<std::string, std::string>> found;
    const auto page = store_->list_archive({.with_nodes = true});
    ASSERT_TRUE(page) << page.error().message;
    for (const auto& item : page->items) {
      auto& nodes = found[std::string(doc::find_string(*item, "metadata", "uid"))];
      if (const auto* map = doc::find(*item, "status", "nodes")) {
        for (const auto& [id, node] : map->as_object()) nodes[std::string(id)] = doc::to_json(node);
      }
    }
    ASSERT_EQ(found, expected);
  }

  void check_nodes() {
    const auto list = store_->list(kWorkflows, {.with_nodes = true});
    for (const auto& item : list->items) {
      std::map<std::string, std::string> nodes;
      if (const auto* found = doc::find(*item, "status", "nodes")) {
        for (const auto& [id, node] : found->as_object()) nodes[std::string(id)] = doc::to_json(node);
      }
      ASSERT_EQ(nodes, nodes_[address(kWorkflows, *item)]);
    }
  }

  static constexpr std::array<const cluster::Resource*, 3> kResources{&kWorkflows, &kPods, &kConfigMaps};

  SeededRandom random_;
  TempDir temp_{TempDir::memory()};
  Objects model_;
  std::map<std::string, std::map<std::string, std::string>> nodes_;
  std::map<std::string, std::map<std::string, std::string>> archived_;  ///< by uid: what has no object any more
  std::set<std::string> status_changed_;
  std::unique_ptr<TestStore> store_;
  std::vector<std::unique_ptr<Follower>> followers_;
};

TEST(StoreRandom, AgreesWithAPlainMap) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    RandomRun(seed).run(400);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tiphys::store
