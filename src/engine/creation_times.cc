#include "engine/creation_times.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace tiphys::engine {

void set_creation_times(Time created, expr::Scope& scope) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(created);
  const std::string prefix = "workflow.creationTimestamp.";
  const auto set = [&](char c, std::string text) { scope.set(prefix + c, std::move(text)); };
  set('B', fmt::format("{:%B}", whole));
  set('b', fmt::format("{:%b}", whole));
  set('m', fmt::format("{:%m}", whole));
  set('A', fmt::format("{:%A}", whole));
  set('a', fmt::format("{:%a}", whole));
  set('d', fmt::format("{:%d}", whole));
  set('H', fmt::format("{:%H}", whole));
  set('I', fmt::format("{:%I}", whole));
  set('M', fmt::format("{:%M}", whole));
  set('S', fmt::format("{:%S}", whole));
  set('Y', fmt::format("{:%Y}", whole));
  set('y', fmt::format("{:%y}", whole));
  set('p', fmt::format("{:%p}", whole));
  set('Z', "UTC");
  set('z', "+0000");
  set('L', fmt::format(".{:03}", std::chrono::floor<std::chrono::milliseconds>(created - whole).count()));
  scope.set(prefix + "s", std::to_string(whole.time_since_epoch().count()));
  scope.set(prefix + "RFC3339", format_rfc3339(created));
  scope.set("workflow.creationTimestamp", format_rfc3339(created));
}

}  // namespace tiphys::engine
