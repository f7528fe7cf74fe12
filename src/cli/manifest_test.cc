#include "cli/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tiphys::cli {
namespace {

using testing::HasSubstr;

constexpr const char* kHello = R"(apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: hello-
spec:
  entrypoint: main
  arguments:
    parameters:
      - {name: message, value: hi}
  templates:
    - name: main
      inputs: {parameters: [{name: message}]}
      container: {image: busybox, command: [echo, "{{inputs.parameters.message}}"]}
)";

class ManifestTest : public testing::Test {
 protected:
  ManifestTest() {
    std::string pattern = testing::TempDir() + "tiphys-manifest-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ManifestTest() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }

  std::string folder_;
  SubmitOptions options_{{.ns = "default"}, ""};
};

TEST_F(ManifestTest, options_change_the_workflow) {
  options_.parameters = {"message=a=b", "extra=[1]"};
  options_.parameter_file = file("p.yaml", "fromfile: 3\nflag: true\nmessage: file\n");
  options_.name = "n";
  options_.generate_name = "g-";
  options_.labels = "a=1, b=2";
  options_.service_account = "robot";
  options_.priority = 7;
  options_.runtime = "process";
  options_.warm_python = "numpy";
  options_.scheduled_time = "2026-11-24T10:00:00Z";
  const auto manifests = prepare_workflows({file("wf.yaml", kHello)}, options_);
  ASSERT_TRUE(manifests) << manifests.error().message;
  ASSERT_EQ(manifests->workflows.size(), 1u);
  const doc::Value& workflow = manifests->workflows[0].workflow;
  EXPECT_EQ(doc::find_string(workflow, "metadata", "name"), "n");
  EXPECT_EQ(doc::find_string(workflow, "metadata", "generateName"), "g-");
  EXPECT_EQ(doc::find_string(workflow, "metadata", "namespace"), "default");
  EXPECT_EQ(doc::find_string(workflow, "metadata", "labels", "b"), "2");
  EXPECT_EQ(doc::find_string(workflow, "metadata", "annotations", "workflows.argoproj.io/scheduled-time"),
            "2026-11-24T10:00:00Z");
  EXPECT_EQ(doc::find_string(workflow, "spec", "serviceAccountName"), "robot");
  EXPECT_EQ(doc::find_string(workflow, "spec", "podMetadata", "annotations", "tiphys.io/runtime"), "process");
  EXPECT_EQ(doc::find_string(workflow, "spec", "podMetadata", "annotations", "tiphys.io/warm-python"), "numpy");
  EXPECT_EQ(doc::scalar_text(*doc::find(workflow, "spec", "priority")), "7");
  std::map<std::string, std::string> parameters;
  for (const auto& parameter : doc::find(workflow, "spec", "arguments", "parameters")->get_array()) {
    parameters.emplace(doc::find_string(parameter, "name"), doc::find_string(parameter, "value"));
  }
  EXPECT_THAT(parameters, testing::UnorderedElementsAre(testing::Pair("message", "a=b"), testing::Pair("extra", "[1]"),
                                                        testing::Pair("fromfile", "3"), testing::Pair("flag", "true")));
}

TEST_F(ManifestTest, several_workflows_of_several_files) {
  const auto manifests = prepare_workflows(
      {file("two.yaml", std::string(kHello) + "---\n" + kHello + "---\napiVersion: v1\nkind: ConfigMap\n---\n" +
                            "apiVersion: v1\nkind: Service\n"),
       file("one.yaml", kHello)},
      options_);
  ASSERT_TRUE(manifests) << manifests.error().message;
  EXPECT_EQ(manifests->workflows.size(), 3u);
  ASSERT_EQ(manifests->objects.size(), 1u);
  EXPECT_EQ(doc::find_string(manifests->objects[0].workflow, "metadata", "namespace"), options_.ns);
  EXPECT_THAT(manifests->notes, HasSubstr("a Service is not run; left out"));
}

TEST_F(ManifestTest, errors) {
  const std::string hello = file("wf.yaml", kHello);
  struct Row {
    const char* rule;
    std::string file;
    std::function<void(SubmitOptions&)> change;
    const char* message;
  };
  const auto nothing = [](SubmitOptions&) {};
  const Row rows[] = {
      {"a file that does not exist", folder_ + "/none.yaml", nothing, "No such file"},
      {"broken YAML", file("broken.yaml", "a: [\n"), nothing, "broken.yaml:"},
      {"no workflow", file("empty.yaml", "# nothing\n"), nothing, "no workflow found in given files"},
      {"another kind only", file("other.yaml", "apiVersion: v1\nkind: Pod\n"), nothing, "a Pod is not run"},
      {"an unknown field", file("field.yaml", std::string(kHello) + "  entripoint: x\n"), nothing, "entripoint"},
      {"a template that does not exist", hello, [](SubmitOptions& o) { o.entrypoint = "mian"; }, "mian"},
      {"a parameter without a value", hello, [](SubmitOptions& o) { o.parameters = {"x"}; },
       "expected parameter of the form: NAME=VALUE. Received: x"},
      {"labels without a value", hello, [](SubmitOptions& o) { o.labels = "a"; }, "NAME=VALUE"},
      {"a time that is none", hello, [](SubmitOptions& o) { o.scheduled_time = "noon"; },
       "scheduled-time contains invalid"},
      {"a parameter file that is no map", hello, [&](SubmitOptions& o) { o.parameter_file = file("list.yaml", "[1]"); },
       "a parameter file is a map"},
  };
  for (const auto& row : rows) {
    SubmitOptions options = options_;
    row.change(options);
    const auto manifests = prepare_workflows({row.file}, options);
    ASSERT_FALSE(manifests) << row.rule;
    EXPECT_THAT(manifests.error().message, HasSubstr(row.message)) << row.rule;
  }
}

TEST_F(ManifestTest, one_name_is_for_one_workflow) {
  options_.name = "n";
  const auto manifests = prepare_workflows({file("two.yaml", std::string(kHello) + "---\n" + kHello)}, options_);
  ASSERT_FALSE(manifests);
  EXPECT_THAT(manifests.error().message, HasSubstr("--name names one workflow"));
}

}  // namespace
}  // namespace tiphys::cli
