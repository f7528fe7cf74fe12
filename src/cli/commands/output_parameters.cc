#include "cli/commands/output_parameters.h"

#include <fmt/format.h>

namespace tiphys::cli {

Result<doc::Object> parse_output_parameters(const std::vector<std::string>& parameters) {
  doc::Object outputs;
  for (const auto& parameter : parameters) {
    const auto equals = parameter.find('=');
    if (equals == std::string::npos) {
      return fail(Code::kInvalidArgument,
                  fmt::format("expected parameter of the form: NAME=VALUE. Received: {}", parameter));
    }
    const std::string value = parameter.substr(equals + 1);
    const auto quoted = value.starts_with('"') ? doc::parse_json(value) : Result<doc::Value>(std::unexpected(Error{}));
    outputs[parameter.substr(0, equals)] = quoted && quoted->is_string() ? std::string(quoted->get_string()) : value;
  }
  return outputs;
}

}  // namespace tiphys::cli
