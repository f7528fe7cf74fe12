#include "server/sso/account_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/log.h"
#include "base/random.h"
#include "expr/ambient.h"

namespace tiphys::server {

std::int64_t parse_precedence(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size()) return 0;
  if (error == std::errc()) return number;
  if (error != std::errc::result_out_of_range) return 0;
  return negative ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

Result<std::unique_ptr<AccountRules>> AccountRules::start(Executor& executor, store::Store& store) {
  auto rules = std::make_unique<AccountRules>(executor, store);
  const std::uint64_t version = store.resource_version();
  TIPHYS_CHECK_OK(rules->load());
  rules->follow(version);
  return rules;
}

Status AccountRules::load() {
  TIPHYS_TRY(const auto accounts, store_.snapshot(cluster::kServiceAccounts));
  rules_.clear();
  for (const cluster::Object& account : accounts) take(*account);
  return {};
}

void AccountRules::follow(std::uint64_t from) {
  cluster::WatchSink sink;
  sink.on_event = [this](const cluster::WatchEvent& event) {
    if (event.type == cluster::WatchEvent::Type::kSynced) return;
    const auto found = rules_.find(doc::find_string(*event.object, "metadata", "namespace"));
    if (found != rules_.end()) {
      const std::string_view name = doc::find_string(*event.object, "metadata", "name");
      std::erase_if(found->second, [&](const AccountRule& each) { return each.name == name; });
      if (found->second.empty()) rules_.erase(found);
    }
    if (event.type != cluster::WatchEvent::Type::kDeleted) take(*event.object);
  };
  sink.on_end = [this](const Error&) {
    executor_.post([this, alive = std::weak_ptr(alive_)] {
      if (alive.expired()) return;
      const std::uint64_t version = store_.resource_version();
      if (const Status loaded = load(); !loaded) log::error("rules of service accounts: {}", loaded.error().message);
      follow(version);
    });
  };
  watch_ = store_.watch(cluster::kServiceAccounts, {.resource_version = from}, std::move(sink));
}

void AccountRules::take(const doc::Value& account) {
  const doc::Value* rule = doc::find(account, "metadata", "annotations", kRuleAnnotation);
  if (!rule || !rule->is_string()) return;
  AccountRule made{
      .ns = std::string(doc::find_string(account, "metadata", "namespace")),
      .name = std::string(doc::find_string(account, "metadata", "name")),
      .uid = std::string(doc::find_string(account, "metadata", "uid")),
      .precedence = parse_precedence(doc::find_string(account, "metadata", "annotations", kPrecedenceAnnotation)),
      .rule = expr::Expression::compile(rule->get_string(), expr::Functions::kExprLang)};
  std::vector<AccountRule>& rules = rules_[made.ns];
  const auto place = std::ranges::find_if(rules, [&](const AccountRule& each) {
    return each.precedence < made.precedence || (each.precedence == made.precedence && each.name > made.name);
  });
  rules.insert(place, std::move(made));
}

Result<const AccountRule*> AccountRules::find(std::string_view ns, const doc::Object& claims) const {
  const auto found = rules_.find(ns);
  if (found == rules_.end()) return nullptr;
  SystemRandom random;
  const expr::Ambient ambient{.now = executor_.now(), .random = &random};
  expr::Scope scope;
  scope.set_ambient(&ambient);
  for (const auto& [name, claim] : claims) scope.set_value(std::string(name), claim);
  for (const AccountRule& each : found->second) {
    const auto refuse = [&](const Error& error) {
      return std::unexpected(error.in(fmt::format("the rule of the service account {}/{}", each.ns, each.name)));
    };
    if (!each.rule) return refuse(each.rule.error());
    const auto holds = each.rule->eval_bool(scope);
    if (!holds) return refuse(holds.error());
    if (*holds) return &each;
  }
  return nullptr;
}

Result<const AccountRule*> AccountRules::find(std::string_view home, std::string_view asked,
                                              const doc::Object& claims) const {
  TIPHYS_TRY(const AccountRule* at_home, find(home, claims));
  if (asked.empty() || asked == home) return at_home;
  const auto there = find(asked, claims);
  if (!there) {
    log::debug("sso: {}", there.error().message);
    return at_home;
  }
  return *there && (!at_home || (*there)->precedence > at_home->precedence) ? *there : at_home;
}

}  // namespace tiphys::server
