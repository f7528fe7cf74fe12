#include "server/negotiation.h"

#include <gtest/gtest.h>

namespace tiphys::server {
namespace {

TEST(Negotiation, takes_the_first_form_that_can_be_given) {
  struct Row {
    const char* accept;
    std::optional<Form::As> as;
    bool yaml = false;
    bool aggregated = false;
  };
  const Row rows[] = {
      {"", Form::As::kObject},
      {"*/*", Form::As::kObject},
      {"application/json, */*", Form::As::kObject},
      {"application/yaml", Form::As::kObject, true},
      {"application/vnd.kubernetes.protobuf,application/json", Form::As::kObject},
      {"application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Form::As::kTable},
      {"application/json;as=Table;v=v9;g=meta.k8s.io,application/json", Form::As::kObject},
      {"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Form::As::kPartial},
      {"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json", Form::As::kObject,
       false, true},
      {"application/vnd.kubernetes.protobuf", std::nullopt},
      {"image/png", std::nullopt},
  };
  for (const Row& row : rows) {
    const auto form = accepted_form(row.accept);
    ASSERT_EQ(form.has_value(), row.as.has_value()) << row.accept;
    if (!form) {
      EXPECT_EQ(form.error().code, 406u);
      continue;
    }
    EXPECT_EQ(form->as, *row.as) << row.accept;
    EXPECT_EQ(form->yaml, row.yaml) << row.accept;
    EXPECT_EQ(form->aggregated, row.aggregated) << row.accept;
  }
}

TEST(Negotiation, reads_bodies_by_their_type) {
  struct Row {
    const char* content_type;
    const char* body;
    unsigned code;
  };
  const Row rows[] = {
      {"", R"({"a": 1})", 200},
      {"application/json; charset=utf-8", R"({"a": 1})", 200},
      {"Application/JSON", R"({"a": 1})", 200},
      {"application/yaml", "a: 1", 200},
      {"application/merge-patch+json", R"({"a": 1})", 200},
      {"application/apply-patch+yaml", "a: 1", 200},
      {"application/json", "a: 1", 400},
      {"application/yaml", "a: 1\n---\nb: 2", 400},
      {"application/vnd.kubernetes.protobuf", "k8s", 400},
      {"text/html", "<p>", 415},
  };
  for (const Row& row : rows) {
    const auto document = read_document(row.content_type, row.body);
    EXPECT_EQ(document ? 200u : document.error().code, row.code) << row.content_type << " " << row.body;
    if (!document) continue;
    EXPECT_EQ(doc::to_json(*document), R"({"a":1})");
  }
}

}  // namespace
}  // namespace tiphys::server
