#include "api/artifact_location.h"

#include <gtest/gtest.h>

namespace tiphys::api {
namespace {

doc::Object json(std::string_view text) {
  return doc::parse_json(text).value().as_object();
}

constexpr std::string_view kOwn = R"({"s3":{"key":"wf/pod"}})";
constexpr std::string_view kStore = R"({"s3":{"endpoint":"e","bucket":"b","insecure":true,"key":"wf/pod"}})";

TEST(ArtifactLocation, IsMovedToTheRepositoryUnlessItIsWhole) {
  struct Row {
    const char* name;
    std::string_view location, archive, expected;
  };
  const Row kRows[] = {
      {"a key alone takes the store", R"({"s3":{"key":"k"}})", kStore,
       R"({"s3":{"endpoint":"e","bucket":"b","insecure":true,"key":"k"}})"},
      {"a bucket without an endpoint is not whole", R"({"s3":{"bucket":"x","key":"k"}})", kStore,
       R"({"s3":{"endpoint":"e","bucket":"b","insecure":true,"key":"k"}})"},
      {"a whole one stays", R"({"s3":{"endpoint":"f","bucket":"x","key":"k"}})", kStore,
       R"({"s3":{"endpoint":"f","bucket":"x","key":"k"}})"},
      {"another kind's key goes to the store", R"({"gcs":{"key":"k"}})", kStore,
       R"({"s3":{"endpoint":"e","bucket":"b","insecure":true,"key":"k"}})"},
      {"to the plane's own repository", R"({"oss":{"key":"k"}})", kOwn, R"({"s3":{"key":"k"}})"},
      {"raw is always whole", R"({"raw":{"data":"x"}})", kStore, R"({"raw":{"data":"x"}})"},
      {"git is whole with a repository", R"({"git":{"repo":"r"}})", kStore, R"({"git":{"repo":"r"}})"},
      {"http with a URL", R"({"name":"a","http":{"url":"http://h/x"}})", kStore, R"({"http":{"url":"http://h/x"}})"},
      {"artifactory needs its user", R"({"artifactory":{"url":"http://h/x"}})", kOwn, R"({"s3":{"key":"/x"}})"},
      {"without a key it is the whole store", R"({"s3":{"bucket":"x"}})", kStore,
       R"({"s3":{"endpoint":"e","bucket":"b","insecure":true,"key":""}})"},
      {"no place", R"({"name":"a"})", kStore, "null"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(doc::to_json(relocated(json(row.location), json(row.archive))), row.expected) << row.name;
  }
}

TEST(ArtifactLocation, KeysAreReadAndSet) {
  struct Row {
    std::string_view kind, place, key, with_other;
  };
  constexpr Row kRows[] = {
      {"s3", R"({"key":"a/b"})", "a/b", R"({"key":"o"})"},
      {"azure", R"({"blob":"a"})", "a", R"({"blob":"o"})"},
      {"http", R"({"url":"https://h:1/a/b?q=1"})", "/a/b", R"({"url":"https://h:1/o?q=1"})"},
      {"http", R"({"url":"https://h"})", "", R"({"url":"https://h/o"})"},
      {"artifactory", R"({"url":"http://h/a/b"})", "/a/b", R"({"url":"http://h/o"})"},
      {"git", R"({"repo":"r"})", "", ""},
      {"raw", R"({"data":"d"})", "", ""},
  };
  for (const Row& row : kRows) {
    doc::Value place = json(row.place);
    EXPECT_EQ(location_key(row.kind, place), row.key) << row.place;
    EXPECT_EQ(set_location_key(row.kind, place, "o"), !row.with_other.empty()) << row.place;
    if (!row.with_other.empty()) {
      EXPECT_EQ(doc::to_json(place), row.with_other);
    }
  }
}

TEST(ArtifactLocation, OfARepositoryHasItsKeyFormat) {
  struct Row {
    std::string_view repository, expected;
  };
  constexpr Row kRows[] = {
      {R"({"archiveLogs":true,"s3":{"endpoint":"e","bucket":"b"}})",
       R"({"s3":{"endpoint":"e","bucket":"b","key":"{{workflow.name}}/{{pod.name}}"}})"},
      {R"({"s3":{"bucket":"b","keyPrefix":"p/"}})",
       R"({"s3":{"bucket":"b","key":"p/{{workflow.name}}/{{pod.name}}"}})"},
      {R"({"s3":{"bucket":"b","keyFormat":"{{pod.name}}"}})", R"({"s3":{"bucket":"b","key":"{{pod.name}}"}})"},
      {R"({"azure":{"container":"c","blobNameFormat":"x"}})", R"({"azure":{"container":"c","blob":"x"}})"},
      {R"({"artifactory":{"repoURL":"http://h/r","keyFormat":"x"}})", R"({"artifactory":{"url":"http://h/r/x"}})"},
      {"{}", "null"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(doc::to_json(repository_location(json(row.repository))), row.expected);
  }
}

TEST(ArtifactLocation, JoinsAsGoDoes) {
  EXPECT_EQ(join_key("a/b/", "c.tgz"), "a/b/c.tgz");
  EXPECT_EQ(join_key("", "c"), "c");
  EXPECT_EQ(join_key("/a", "/c"), "/a/c");
  EXPECT_EQ(join_key("a", "../c/"), "c");
  EXPECT_EQ(join_key("a", ""), "a");
}

}  // namespace
}  // namespace tiphys::api
