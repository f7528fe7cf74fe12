#include "server/exchange.h"

#include <fmt/format.h>

#include <charconv>

#include "doc/yaml.h"

namespace tiphys::server {

using objects::Outcome;

void reply_document(const Exchange& exchange, unsigned code, const doc::Value& document,
                    std::vector<std::string> warnings) {
  if (exchange.form.yaml) {
    exchange.responder->reply(code, "application/yaml", doc::to_yaml(document), std::move(warnings));
  } else {
    exchange.responder->reply(code, kJson, doc::to_json(document), std::move(warnings));
  }
}

void reply_refusal(const Exchange& exchange, const objects::Refusal& refusal) {
  reply_document(exchange, refusal.code, objects::status_of(refusal));
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
