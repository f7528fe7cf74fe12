#include "server/ui_files.h"

#include <gtest/gtest.h>

namespace tiphys::server {
namespace {

TEST(UiFilesTest, PathsOfTheUi) {
  struct Row {
    const char* rule;
    const char* method;
    const char* target;
    bool has_authorization, expected;
  };
  const Row rows[] = {
      {"the front page", "GET", "/", false, true},
      {"with a query", "GET", "/?a=b", false, true},
      {"Kubernetes' list of paths", "GET", "/", true, false},
      {"a page", "GET", "/workflows/default/x?tab=workflow", true, true},
      {"a file", "GET", "/assets/images/logo.svg", false, true},
      {"a page that begins as an API does", "GET", "/apidocs", false, true},
      {"slashes do not hide an API", "GET", "//api/v1/pods", false, false},
      {"Argo's API", "GET", "/api/v1/info", false, false},
      {"Kubernetes' API", "GET", "/apis/apps/v1/deployments", false, false},
      {"the version", "GET", "/version", false, false},
      {"artifacts", "GET", "/artifact-files/a/workflows/b/c/outputs/d", false, false},
      {"what changes something", "POST", "/workflows", false, false},
      {"no path", "GET", "*", false, false},
  };
  for (const Row& row : rows)
    EXPECT_EQ(is_of_ui(row.method, row.target, row.has_authorization), row.expected) << row.rule;
}

TEST(UiFilesTest, TheBaseOfThePage) {
  const std::string base = R"(<base href="/argo/">)";
  EXPECT_EQ(with_base(R"(<head><base href="/"><script src="main.js"></script></head>)", base),
            R"(<head><base href="/argo/"><script src="main.js"></script></head>)");
  EXPECT_EQ(with_base(R"(<base href="/a/"><base href="">)", base), base + base) << "each";
  EXPECT_EQ(with_base("<head></head>", base), "<head></head>") << "a page without one";
  EXPECT_EQ(with_base(R"(<base href="/)", base), R"(<base href="/)") << "one that does not end";
}

}  // namespace
}  // namespace tiphys::server
