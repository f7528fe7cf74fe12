#include "podspec/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace tiphys::podspec {
namespace {

constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_lower_or_digit(char c) {
  return is_lower(c) || (c >= '0' && c <= '9');
}
constexpr bool is_alphanumeric(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}
constexpr bool is_of_key(char c) {
  return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
}

using Class = bool(char);

bool all(std::string_view text, Class* inside) {
  return !text.empty() && std::ranges::all_of(text, inside);
}

bool framed(std::string_view text, Class* ends, Class* inside) {
  return all(text, inside) && ends(text.front()) && ends(text.back());
}

bool is_label(std::string_view text) {
  return framed(text, is_lower_or_digit, [](char c) { return is_lower_or_digit(c) || c == '-'; });
}
bool is_label_1035(std::string_view text) {
  return is_label(text) && is_lower(text.front());
}
bool is_subdomain(std::string_view text) {
  return std::ranges::all_of(split(text, '.'), is_label);
}
bool is_qualified(std::string_view text) {
  return framed(text, is_alphanumeric, is_of_key);
}
bool is_label_value(std::string_view text) {
  return text.empty() || is_qualified(text);
}
bool is_config_key(std::string_view text) {
  return all(text, is_of_key);
}
bool is_env_name(std::string_view text) {
  return all(text, [](char c) { return c >= ' ' && c <= '~' && c != '='; });
}

/// A form of names. Regular expressions are for messages alone: compiling one takes longer than all else that is done
/// with a small workflow.
struct Form {
  bool (*matches)(std::string_view);
  const char* pattern;
  const char* why;
  const char* examples;
  std::size_t most = 0;  ///< characters; 0: any
};

constexpr Form kLabel{is_label, "[a-z0-9]([-a-z0-9]*[a-z0-9])?",
                      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
                      "start and end with an alphanumeric character",
                      "'my-name',  or '123-abc', ", 63};
constexpr Form kLabel1035{is_label_1035, "[a-z]([-a-z0-9]*[a-z0-9])?",
                          "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
                          "alphabetic character, and end with an alphanumeric character",
                          "'my-name',  or 'abc-123', ", 63};
constexpr Form kSubdomain{is_subdomain, "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
                          "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
                          "'.', and must start and end with an alphanumeric character",
                          "'example.com', ", 253};
constexpr Form kQualified{is_qualified, "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
                          "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
                          "alphanumeric character",
                          "'MyName',  or 'my.name',  or '123-abc', ", 63};
constexpr Form kLabelValue{is_label_value, "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
                           "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
                           "'.', and must start and end with an alphanumeric character",
                           "'MyValue',  or 'my_value',  or '12345', ", 63};
constexpr Form kConfigKey{is_config_key, "[-._a-zA-Z0-9]+",
                          "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                          "'key.name',  or 'KEY_NAME',  or 'key-name', ", 253};
constexpr Form kEnvName{is_env_name, "[^=[:cntrl:]\\x80-\\x{10FFFF}]+",
                        "a valid environment variable name must consist only of printable ASCII characters other than "
                        "'='",
                        nullptr};

std::string sentence(const Form& form) {
  if (!form.examples) return form.why;
  return fmt::format("{} (e.g. {}regex used for validation is '{}')", form.why, form.examples, form.pattern);
}

void complain(const Form& form, std::string_view text, std::string_view part, Complaints& complaints) {
  if (form.most != 0 && text.size() > form.most) {
    complaints.push_back(fmt::format("{}must be no more than {} characters", part, form.most));
  }
  if (!form.matches(text)) complaints.push_back(fmt::format("{}{}", part, sentence(form)));
}

Complaints complaints_of(const Form& form, std::string_view text) {
  Complaints complaints;
  complain(form, text, "", complaints);
  return complaints;
}

}  // namespace

Complaints dns_label(std::string_view text) {
  return complaints_of(kLabel, text);
}

Complaints dns_1035_label(std::string_view text) {
  return complaints_of(kLabel1035, text);
}

Complaints dns_subdomain(std::string_view text) {
  return complaints_of(kSubdomain, text);
}

Complaints label_value(std::string_view text) {
  return complaints_of(kLabelValue, text);
}

Complaints qualified_name(std::string_view text) {
  Complaints complaints;
  const auto parts = split(text, '/');
  if (parts.size() > 2) {
    complaints.push_back(
        fmt::format("a qualified name {} with an optional DNS subdomain prefix and '/' (e.g. "
                    "'example.com/MyName')",
                    sentence(kQualified)));
    return complaints;
  }
  if (parts.size() == 2 && parts[0].empty()) {
    complaints.emplace_back("prefix part must be non-empty");
  } else if (parts.size() == 2) {
    complain(kSubdomain, parts[0], "prefix part ", complaints);
  }
  if (parts.back().empty()) complaints.emplace_back("name part must be non-empty");
  complain(kQualified, parts.back(), "name part ", complaints);
  return complaints;
}

Complaints config_key(std::string_view text) {
  Complaints complaints = complaints_of(kConfigKey, text);
  if (text == "." || text == "..") {
    complaints.push_back(fmt::format("must not be '{}'", text));
  } else if (text.starts_with("..")) {
    complaints.emplace_back("must not start with '..'");
  }
  return complaints;
}

Complaints port_name(std::string_view text) {
  Complaints complaints;
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  if (text.size() > 15) complaints.emplace_back("must be no more than 15 characters");
  if (text.empty() || text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != text.npos) {
    complaints.emplace_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (std::ranges::none_of(text, is_letter)) complaints.emplace_back("must contain at least one letter (a-z)");
  if (text.find("--") != text.npos) complaints.emplace_back("must not contain consecutive hyphens");
  if (text.starts_with('-') || text.ends_with('-')) complaints.emplace_back("must not begin or end with a hyphen");
  return complaints;
}

Complaints path_segment(std::string_view text) {
  Complaints complaints;
  if (text == "." || text == "..") complaints.push_back(fmt::format("may not be '{}'", text));
  for (const std::string_view part : {"/", "%"}) {
    if (text.find(part) != text.npos) complaints.push_back(fmt::format("may not contain '{}'", part));
  }
  return complaints;
}

Complaints env_name(std::string_view text) {
  if (text.empty()) return {"environment variable name must be non-empty"};
  return complaints_of(kEnvName, text);
}

bool has_dots(std::string_view path) {
  for (const std::string_view part : split(path, '/')) {
    if (part == "..") return true;
  }
  return false;
}

}  // namespace tiphys::podspec
