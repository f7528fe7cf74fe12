#include "argo/uploads.h"

#include <gtest/gtest.h>

#include "argo/testing.h"

namespace tiphys::argo {
namespace {

constexpr std::string_view kUid = "01234567-89ab-cdef-0123-456789abcdef";

TEST(UploadsTest, KeysAreOfTheirNamespace) {
  struct Case {
    const char* key;
    bool good;
  };
  const Case cases[] = {
      {"uploads/argo/01234567-89ab-cdef-0123-456789abcdef/a.csv", true},
      {"uploads/other/01234567-89ab-cdef-0123-456789abcdef/a.csv", false},
      {"/uploads/argo/01234567-89ab-cdef-0123-456789abcdef/a.csv", false},
      {"uploads/argo/01234567-89ab-cdef-0123-456789abcdef/", false},
      {"uploads/argo/01234567-89ab-cdef-0123-456789abcdef/a/b", false},
      {"uploads/argo/01234567-89ab-cdef-0123-456789abcdef/..", false},
      {"uploads/argo/01234567-89ab-cdef-0123-456789abcdef/.", false},
      {"uploads/argo/../../secrets.key", false},
      {"uploads/argo/no-uuid/a.csv", false},
      {"uploads//01234567-89ab-cdef-0123-456789abcdef/a.csv", false},
      {"", false},
  };
  for (const Case& one : cases) EXPECT_EQ(check_upload_key("argo", one.key).has_value(), one.good) << one.key;
}

TEST(UploadsTest, FilesAreCalledByTheirLastName) {
  EXPECT_EQ(*upload_key("argo", kUid, "C:\\data\\a.csv"), "uploads/argo/01234567-89ab-cdef-0123-456789abcdef/a.csv");
  EXPECT_EQ(*upload_key("argo", kUid, "../../b"), "uploads/argo/01234567-89ab-cdef-0123-456789abcdef/b");
  for (const char* none : {"", "..", "a/", ".", "a/.."}) EXPECT_FALSE(upload_key("argo", kUid, none)) << none;
}

struct UseCase {
  const char* rule;
  const char* submit;
  const char* answer;  ///< the workflow's arguments, or the error
};

TEST(UploadsTest, SubmissionsUseThem) {
  TestServices services;
  services.ask("workflowtemplate.WorkflowTemplateService/CreateWorkflowTemplate", R"(
namespace: argo
template:
  metadata: {name: train}
  spec:
    entrypoint: main
    arguments:
      artifacts:
      - {name: data, s3: {key: k}}
      - {name: far, s3: {endpoint: e, bucket: b, key: k}}
    templates:
    - name: main
      inputs: {artifacts: [{name: data, path: /data}, {name: far, path: /far, optional: true}]}
      container: {image: a, command: [b]}
)");
  const UseCase cases[] = {
      {"in the plane's own repository", "data=uploads/argo/01234567-89ab-cdef-0123-456789abcdef/a.csv",
       R"([{"name":"data","s3":{"key":"uploads/argo/01234567-89ab-cdef-0123-456789abcdef/a.csv"}}])"},
      {"where the template has its own", "far=uploads/argo/01234567-89ab-cdef-0123-456789abcdef/a.csv",
       R"([{"name":"far","s3":{"endpoint":"e","bucket":"b","key":"uploads/argo/01234567-89ab-cdef-0123-456789abcdef/a.csv"}}])"},
      {"of another namespace", "data=uploads/other/01234567-89ab-cdef-0123-456789abcdef/a.csv",
       R"(artifact key "uploads/other/01234567-89ab-cdef-0123-456789abcdef/a.csv" is none of an upload: "uploads/argo/UUID/FILE")"},
      {"of no artifact", "some=uploads/argo/01234567-89ab-cdef-0123-456789abcdef/a.csv",
       "the template's arguments have no artifact \"some\""},
      {"without a name", "uploads", "expected artifact of the form: NAME=KEY. Received: uploads"},
  };
  for (const UseCase& one : cases) {
    const auto answer =
        services.call("workflow.WorkflowService/SubmitWorkflow",
                      fmt::format("{{namespace: argo, resourceKind: WorkflowTemplate, resourceName: train, "
                                  "submitOptions: {{dryRun: true, artifacts: ['{}']}}}}",
                                  one.submit));
    if (answer->error) {
      EXPECT_EQ(answer->error->message, one.answer) << one.rule;
    } else {
      ASSERT_TRUE(answer->message) << one.rule;
      EXPECT_EQ(doc::to_json(*doc::find(*answer->message, "spec", "arguments", "artifacts")), one.answer) << one.rule;
    }
  }
}

}  // namespace
}  // namespace tiphys::argo
