// What passes is what the regular expressions in the messages, which are Kubernetes', say.
#include "podspec/names.h"

#include <gmock/gmock.h>
#include <re2/re2.h>

#include <functional>

namespace tiphys::podspec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Calls with each text of at most four characters, of which there is one for each class that a form tells apart.
void for_each_text(const std::function<void(const std::string&)>& call) {
  constexpr std::string_view kCharacters = "az09AZ-_.= /\n\x7f\xc3";
  std::vector<std::string> texts{""};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    call(texts[i]);
    if (texts[i].size() == 4) continue;
    for (const char c : kCharacters) texts.push_back(texts[i] + c);
  }
}

TEST(Names, AreOfTheFormsThatMessagesTell) {
  const struct {
    Complaints (*check)(std::string_view);
    const char* pattern;
    const char* wrong;
  } forms[] = {
      {dns_label, "[a-z0-9]([-a-z0-9]*[a-z0-9])?", "-"},
      {dns_1035_label, "[a-z]([-a-z0-9]*[a-z0-9])?", "0"},
      {dns_subdomain, "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", "a..b"},
      {label_value, "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", "a/b"},
  };
  for (const auto& [check, pattern, wrong] : forms) {
    EXPECT_THAT(check(wrong), ElementsAre(HasSubstr(std::string("regex used for validation is '") + pattern + "'")));
    const re2::RE2 form(pattern, re2::RE2::Latin1);
    for_each_text([&, check = check](const std::string& text) {
      EXPECT_EQ(check(text).empty(), re2::RE2::FullMatch(text, form)) << pattern << ": " << text;
    });
  }
}

TEST(Names, OfKeysAndEnvironmentVariables) {
  const re2::RE2 key("[-._a-zA-Z0-9]+"), variable("[^=[:cntrl:]\\x80-\\xff]+", re2::RE2::Latin1);
  for_each_text([&](const std::string& text) {
    EXPECT_EQ(env_name(text).empty(), re2::RE2::FullMatch(text, variable)) << text;
    if (!text.starts_with("..") && text != ".") {
      EXPECT_EQ(config_key(text).empty(), re2::RE2::FullMatch(text, key)) << text;
    }
  });
}

TEST(Names, AreBounded) {
  EXPECT_THAT(dns_label(std::string(63, 'a')), IsEmpty());
  EXPECT_THAT(dns_label(std::string(64, 'a')), ElementsAre("must be no more than 63 characters"));
  EXPECT_THAT(dns_subdomain(std::string(254, 'a')), ElementsAre("must be no more than 253 characters"));
}

}  // namespace
}  // namespace tiphys::podspec
