#include "server/exchange.h"

#include <fmt/format.h>

#include <charconv>

#include "doc/yaml.h"

namespace tiphys::server {

using objects::Outcome;

AnswerHead head_of(const Exchange& exchange, unsigned code, std::string_view content_type) {
  AnswerHead head{.code = code, .content_type = std::string(content_type)};
  for (const std::string& warning : exchange.warnings) head.fields.emplace_back("Warning", warning_header(warning));
  return head;
}

void reply_document(const Exchange& exchange, AnswerHead head, const doc::Value& document) {
  head.content_type = exchange.form.yaml ? std::string("application/yaml") : std::string(kJson);
  exchange.responder->reply(std::move(head), exchange.form.yaml ? doc::to_yaml(document) : doc::to_json(document));
}

void reply_document(const Exchange& exchange, unsigned code, const doc::Value& document,
                    const std::vector<std::string>& warnings) {
  AnswerHead head = head_of(exchange, code);
  for (const std::string& warning : warnings) head.fields.emplace_back("Warning", warning_header(warning));
  reply_document(exchange, std::move(head), document);
}

void reply_refusal(const Exchange& exchange, const objects::Refusal& refusal) {
  AnswerHead head = head_of(exchange, refusal.code);
  if (const auto* seconds = refusal.details.if_contains("retryAfterSeconds"); seconds && seconds->is_int64()) {
    head.fields.emplace_back("Retry-After", std::to_string(seconds->get_int64()));
  }
  reply_document(exchange, std::move(head), objects::status_of(refusal));
}

std::unexpected<objects::Refusal> refuse(unsigned code, std::string reason, std::string message) {
  return std::unexpected(objects::Refusal{code, std::move(reason), std::move(message), {}, true});
}

template <typename Number>
Outcome<Number> number_of(const Exchange& exchange, std::string_view name, Number otherwise) {
  const std::string_view text = exchange.query.value(name);
  if (text.empty()) return otherwise;
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::unexpected(objects::bad_request(fmt::format("strconv.ParseInt: parsing \"{}\": invalid syntax", text)));
  }
  return number;
}
template Outcome<int> number_of(const Exchange&, std::string_view, int);
template Outcome<std::int64_t> number_of(const Exchange&, std::string_view, std::int64_t);
template Outcome<std::uint64_t> number_of(const Exchange&, std::string_view, std::uint64_t);

Result<std::uint64_t> version_number(std::string_view text) {
  std::uint64_t number = 0;
  if (text.empty()) return number;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return fail(
      Code::kInvalidArgument,
      fmt::format("resourceVersion: Invalid value: \"{0}\": strconv.ParseUint: parsing \"{0}\": invalid syntax", text));
}

Outcome<cluster::Selector> selector_of(const Exchange& exchange, std::string_view name) {
  const std::string_view text = exchange.query.value(name);
  auto selector = name == "fieldSelector" ? cluster::Selector::parse_fields(text) : cluster::Selector::parse(text);
  if (!selector) return std::unexpected(objects::bad_request(selector.error().message));
  return std::move(*selector);
}

}  // namespace tiphys::server
