#include "argo/services_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "argo/testing.h"

namespace tiphys::argo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ServicesClusterTest : public testing::Test {
 protected:
  template <typename T, typename Call>
  Result<T> await(Call call) {
    std::optional<Result<T>> answer;
    call([&](Result<T> result) { answer = std::move(result); });
    while (!answer && services_.store().executor().step()) {
    }
    return answer ? std::move(*answer) : fail(Code::kInternal, "no answer");
  }
  Result<cluster::Object> create(const cluster::Resource& resource, std::string_view yaml) {
    return await<cluster::Object>(
        [&](auto done) { cluster_->create(resource, objects::parse_one(yaml), std::move(done)); });
  }
  Result<cluster::Object> get(const cluster::Key& key) {
    return await<cluster::Object>([&](auto done) { cluster_->get(key, std::move(done)); });
  }
  void make_workflow(const char* name) {
    const auto made = create(cluster::kWorkflows, fmt::format(kWorkflow, name));
    ASSERT_TRUE(made) << made.error().message;
  }
  void set_nodes(const char* name, std::vector<cluster::WorkflowStatusUpdate::Node> nodes, doc::Object fields = {}) {
    ASSERT_TRUE(services_.store().update_workflow_status({&cluster::kWorkflows, "default", name},
                                                         {.nodes = std::move(nodes), .fields = std::move(fields)}));
    services_.store().run();
  }

  static constexpr const char* kWorkflow =
      "{{metadata: {{name: {}, namespace: default, labels: {{a: b}}}}, spec: {{entrypoint: m, templates: [{{name: m, "
      "container: {{image: a, command: [b]}}}}]}}}}";

  TestServices services_;
  std::unique_ptr<cluster::Cluster> cluster_ = make_services_cluster(services_.services());
};

TEST_F(ServicesClusterTest, objects_of_each_kind) {
  constexpr std::string_view kSpec = "{entrypoint: m, templates: [{name: m, container: {image: a, command: [b]}}]}";
  const std::pair<const cluster::Resource*, std::string> rows[] = {
      {&cluster::kWorkflowTemplates, fmt::format("{{metadata: {{name: t, namespace: default}}, spec: {}}}", kSpec)},
      {&cluster::kClusterWorkflowTemplates, fmt::format("{{metadata: {{name: t}}, spec: {}}}", kSpec)},
      {&cluster::kCronWorkflows,
       fmt::format(
           "{{metadata: {{name: t, namespace: default}}, spec: {{schedules: ['* * * * *'], workflowSpec: {}}}}}",
           kSpec)},
  };
  for (const auto& [resource, yaml] : rows) {
    const cluster::Key key{resource, resource->namespaced ? "default" : "", "t"};
    const auto made = create(*resource, yaml);
    ASSERT_TRUE(made) << resource->kind << ": " << made.error().message;
    doc::Value next = **made;
    next.at("metadata").as_object()["labels"] = doc::Object{{"x", "y"}};
    const auto updated = await<cluster::Object>([&](auto done) { cluster_->update(key, next, std::move(done)); });
    ASSERT_TRUE(updated) << resource->kind << ": " << updated.error().message;
    const auto list =
        await<cluster::List>([&](auto done) { cluster_->list(*resource, {.ns = key.ns}, std::move(done)); });
    ASSERT_TRUE(list) << resource->kind << ": " << list.error().message;
    ASSERT_EQ(list->items.size(), 1u) << resource->kind;
    EXPECT_EQ(doc::find_string(*list->items[0], "metadata", "labels", "x"), "y") << resource->kind;
    ASSERT_TRUE(await<cluster::Object>([&](auto done) { cluster_->remove(key, {}, std::move(done)); }));
    const auto gone = get(key);
    ASSERT_FALSE(gone) << resource->kind;
    EXPECT_EQ(gone.error().code, Code::kNotFound) << resource->kind;
  }
}

TEST_F(ServicesClusterTest, objects_are_told_with_their_kinds) {
  /// As the original answers.
  class Bare final : public Services {
   public:
    void call(Call call) override {
      doc::Object object{{"metadata", doc::Object{{"name", "t"}}}};
      if (!call.method.name.starts_with("List")) return call.answer->reply(std::move(object));
      call.answer->reply(doc::Object{{"metadata", doc::Object()}, {"items", doc::Array{std::move(object)}}});
    }
  } bare;
  const auto cluster = make_services_cluster(bare);
  for (const auto* resource : {&cluster::kWorkflows, &cluster::kCronWorkflows, &cluster::kClusterWorkflowTemplates}) {
    const auto got = await<cluster::Object>([&](auto done) { cluster->get({resource, "n", "t"}, std::move(done)); });
    const auto list = await<cluster::List>([&](auto done) { cluster->list(*resource, {.ns = "n"}, std::move(done)); });
    for (const cluster::Object& object : {got.value(), list.value().items.at(0)}) {
      EXPECT_EQ(doc::find_string(*object, "kind"), resource->kind);
      EXPECT_EQ(doc::find_string(*object, "apiVersion"), "argoproj.io/v1alpha1");
    }
  }
}

TEST_F(ServicesClusterTest, lists_of_workflows) {
  make_workflow("a");
  make_workflow("b");
  set_nodes("a", {{"n", R"({"id":"n","name":"n","type":"Pod","phase":"Running"})"}});
  for (const bool with_nodes : {false, true}) {
    cluster::ListOptions options{.ns = "default", .with_nodes = with_nodes};
    options.labels = cluster::Selector::parse("a=b").value();
    options.fields = cluster::Selector::parse_fields("metadata.name=a").value();
    const auto list = await<cluster::List>(
        [&](auto done) { cluster_->list(cluster::kWorkflows, std::move(options), std::move(done)); });
    ASSERT_TRUE(list) << list.error().message;
    ASSERT_EQ(list->items.size(), 1u);
    EXPECT_EQ(doc::find(*list->items[0], "status", "nodes") != nullptr, with_nodes);
  }
}

TEST_F(ServicesClusterTest, a_workflow_is_watched) {
  make_workflow("a");
  using Type = cluster::WatchEvent::Type;
  std::vector<Type> types;
  std::optional<Error> ended;
  cluster::WatchOptions options{.ns = "default"};
  options.fields = cluster::Selector::parse_fields("metadata.name=a").value();
  const auto watch = cluster_->watch(cluster::kWorkflows, std::move(options),
                                     {[&](const cluster::WatchEvent& event) { types.push_back(event.type); },
                                      [&](Error error) { ended = std::move(error); }});
  services_.store().run();
  EXPECT_THAT(types, ElementsAre(Type::kAdded, Type::kSynced, Type::kModified)) << "as it is, twice";
  types.clear();
  set_nodes("a", {}, {{"phase", "Running"}});
  EXPECT_THAT(types, ElementsAre(Type::kModified));
  ASSERT_TRUE(await<cluster::Object>(
      [&](auto done) { cluster_->remove({&cluster::kWorkflows, "default", "a"}, {}, std::move(done)); }));
  services_.store().run();
  EXPECT_EQ(types.back(), Type::kDeleted);
  EXPECT_FALSE(ended);
}

TEST_F(ServicesClusterTest, nodes_are_told_as_they_change) {
  make_workflow("a");
  set_nodes("a", {{"n", R"({"id":"n","name":"n","type":"Pod","phase":"Running"})"}});
  std::vector<std::string> nodes;
  bool synced = false;
  const auto watch =
      cluster_->watch_nodes({&cluster::kWorkflows, "default", "a"},
                            {[&](std::string_view json) { nodes.emplace_back(json); }, [&] { synced = true; },
                             [](const Error& error) { FAIL() << error.message; }});
  services_.store().run();
  EXPECT_TRUE(synced);
  ASSERT_EQ(nodes.size(), 1u);
  set_nodes("a", {{"n", R"({"id":"n","name":"n","type":"Pod","phase":"Succeeded"})"}});
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_THAT(nodes.back(), HasSubstr("Succeeded"));
}

TEST_F(ServicesClusterTest, what_is_not_there) {
  std::vector<cluster::WatchEvent::Type> types;
  cluster::WatchOptions options{.ns = "default"};
  options.fields = cluster::Selector::parse_fields("metadata.name=a").value();
  const auto watch = cluster_->watch(cluster::kWorkflows, std::move(options),
                                     {[&](const cluster::WatchEvent& event) { types.push_back(event.type); },
                                      [](const Error& error) { FAIL() << error.message; }});
  services_.store().run();
  EXPECT_THAT(types, ElementsAre(cluster::WatchEvent::Type::kSynced));

  std::optional<Error> ended;
  const auto nodes = cluster_->watch_nodes({&cluster::kWorkflows, "default", "a"},
                                           {[](std::string_view) {}, [] {}, [&](Error error) { ended = error; }});
  services_.store().run();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, Code::kNotFound);
}

TEST_F(ServicesClusterTest, what_argos_api_does_not_have) {
  const auto secret = get({&cluster::kSecrets, "default", "s"});
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error().code, Code::kUnimplemented);
  EXPECT_THAT(secret.error().message, HasSubstr("secrets"));
  const auto patched = await<cluster::Object>([&](auto done) {
    cluster_->patch({&cluster::kWorkflows, "default", "a"}, cluster::PatchType::kMerge, {}, std::move(done));
  });
  ASSERT_FALSE(patched);
  EXPECT_EQ(patched.error().code, Code::kUnimplemented);
}

}  // namespace
}  // namespace tiphys::argo
