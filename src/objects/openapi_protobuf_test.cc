#include "objects/openapi_protobuf.h"

#include <gtest/gtest.h>

namespace tiphys::objects {
namespace {

TEST(OpenapiProtobuf, IsTheMessageOfADocument) {
  const auto document = doc::parse_json(R"({"swagger": "2.0", "info": {"title": "t", "version": "v"}, "paths": {},
      "definitions": {"A": {"type": "object", "required": ["b"], "x-k": [1],
                            "properties": {"b": {"allOf": [{"$ref": "#/definitions/B"}]}}}}})");
  ASSERT_TRUE(document);
  const std::string reference = "\x0A\x0F#/definitions/B";  // _ref = 1
  const std::string b =
      "\x0A\x01"
      "b\x12\x11" +
      reference;                                               // name = 1, value = 2
  const std::string properties = std::string("\x0A\x16") + b;  // additional_properties = 1
  const std::string type =
      "\x0A\x06"
      "object";                                                    // value = 1
  const std::string extension = "\x0A\x03x-k\x12\x05\x12\x03[1]";  // name = 1, value.yaml = 2
  const std::string schema =
      "\x9A\x01\x01"
      "b"
      "\xB2\x01\x08" +
      type +                                                     // required = 19, type = 22
      "\xCA\x01\x18" + properties + "\xFA\x01\x0C" + extension;  // 25, 31
  ASSERT_LT(schema.size(), 128u);
  const std::string named =
      "\x0A\x01"
      "A\x12" +
      std::string(1, static_cast<char>(schema.size())) + schema;
  const std::string definitions = "\x0A" + std::string(1, static_cast<char>(named.size())) + named;
  EXPECT_EQ(openapi_protobuf(*document),
            "\x0A\x03"
            "2.0\x12\x06\x0A\x01t\x12\x01v" +
                std::string("\x42\x00", 2) + "\x4A" + std::string(1, static_cast<char>(definitions.size())) +
                definitions);
}

TEST(OpenapiProtobuf, HasWhatPatchesTake) {
  const auto document = doc::parse_json(R"({"swagger": "2.0", "paths": {"/a": {"patch": {"parameters":
      [{"in": "query", "name": "dryRun", "type": "string"}], "x-k": 1}}}})");
  ASSERT_TRUE(document);
  const std::string query =
      "\x12\x05query"
      "\x22\x06"
      "dryRun"
      "\x32\x06string";                                              // in = 2, name = 4, type = 6
  const std::string parameter = "\x0A\x1B\x12\x19\x1A\x17" + query;  // no body, of the query
  const std::string extension =
      "\x0A\x03x-k\x12\x03\x12\x01"
      "1";
  const std::string operation = "\x42\x1D" + parameter + "\x6A\x0A" + extension;  // parameters = 8, extensions = 13
  const std::string named = "\x0A\x02/a\x12\x2D\x42\x2B" + operation;             // patch = 8
  EXPECT_NE(openapi_protobuf(*document).find("\x42\x35\x12\x33" + named), std::string::npos);
}

}  // namespace
}  // namespace tiphys::objects
