#include "artifact/xml.h"

#include <gtest/gtest.h>

namespace tiphys::artifact {
namespace {

TEST(Xml, IsRead) {
  const auto root = parse_xml(
      "<?xml version=\"1.0\"?>\n<!-- a --><s:List xmlns:s=\"u>v\"><Key>a&amp;b&#x41;&#228;</Key><Empty/>"
      "<In a='>'><Key>c</Key> t<!-- x --><![CDATA[<d>]]></In></s:List>");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(root->name, "List");
  EXPECT_EQ(root->child_text("Key"), "a&bA\xC3\xA4");
  ASSERT_EQ(root->children.size(), 3U);
  EXPECT_EQ(root->children[2].child_text("Key"), "c");
  EXPECT_EQ(root->children[2].text, " t<d>");
  EXPECT_EQ(root->child_text("Missing"), "");
}

TEST(Xml, ThatIsBrokenIsAnError) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  for (const std::string& text :
       {std::string(), std::string("no"), std::string("<a>"), std::string("<a></b>"), std::string("<a>&x;</a>"),
        std::string("<a>&#x110000;</a>"), std::string("<a>&#;</a>"), std::string("<!DOCTYPE a><a/>"),
        std::string("<a b='>"), std::string("<"), std::string("<>"), deep}) {
    EXPECT_FALSE(parse_xml(text)) << text;
  }
}

TEST(Xml, TextIsEscaped) {
  EXPECT_EQ(xml_text("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&apos;");
  // A reader takes one for the end of a line.
  EXPECT_EQ(xml_text("a\rb"), "a&#13;b");
}

}  // namespace
}  // namespace tiphys::artifact
