#include "cli/flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include "base/strings.h"
#include "cli/terminal.h"

namespace tiphys::cli {

struct Flags::Parser {
  std::string command;
  CLI::App app;
  std::string metavar;
  std::vector<std::string>* positional = nullptr;
  std::size_t least = 0;
  std::size_t most = 0;
  std::map<const CLI::Option*, std::vector<std::string>> choices;

  struct Declared {
    std::string names;
    std::function<void()> add;
    bool wanted = false;

    bool may_be(std::string_view argument) const {
      return std::ranges::any_of(split(names, ','), [&](std::string_view name) {
        if (!name.starts_with("--")) return !argument.starts_with("--") && argument.contains(name.back());
        return argument.starts_with(name) && (argument.size() == name.size() || argument[name.size()] == '=');
      });
    }
  };
  std::vector<Declared> declared;

  /// CLI11 compares each flag that is added with all before it, and a command has some fifty. Only those that are given
  /// are added, or all when one is asked for that is none of them: for help and suggestions.
  void add_declared(std::span<const std::string> arguments) {
    bool all = false;
    for (const std::string& argument : arguments) {
      if (argument.size() < 2 || argument.front() != '-') continue;
      bool known = false;
      for (Declared& each : declared) {
        if (!each.may_be(argument)) continue;
        each.wanted = known = true;
      }
      all = all || !known;
    }
    for (const Declared& each : declared) {
      if (all || each.wanted) each.add();
    }
    declared.clear();
  }

  std::vector<std::string> known_flags() const {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
      for (const auto& name : option->get_snames()) names.push_back("-" + name);
    }
    return names;
  }

  std::string help() const {
    std::string usage = fmt::format("tiphys {} [flags]", command);
    if (most > 0) usage += fmt::format(fmt::runtime(least > 0 ? " {}{}" : " [{}{}]"), metavar, most > 2 ? "..." : "");
    return fmt::format("{}\n\nUsage:\n  {}\n{}\n{}", app.get_description(), usage,
                       CLI::Formatter().make_groups(&app, CLI::AppFormatMode::Normal), app.get_footer());
  }

  Status check_positional(const std::vector<std::string>& values) const {
    if (values.size() > most) {
      return fail(Code::kInvalidArgument, fmt::format("unexpected argument \"{}\"", values[most]));
    }
    if (values.size() < least) {
      return fail(Code::kInvalidArgument, fmt::format("{} is missing", metavar.substr(0, metavar.find(" ["))));
    }
    return {};
  }

  /// For completion: what may follow a flag, where that is a fixed set. An error when nothing belongs to the flag.
  Result<bool> list_values(const std::string& flag) const {
    const CLI::Option* option = app.get_option_no_throw(flag);
    if (option == nullptr || option->get_expected_max() == 0) {
      return fail(Code::kInvalidArgument, fmt::format("{} takes no value", flag));
    }
    const auto choice = choices.find(option);
    if (choice == choices.end()) return false;
    for (const auto& value : choice->second) print(value + "\n");
    return false;
  }
};

Flags::Flags(const std::string& command, const std::string& summary, std::string examples)
    : parser_(std::make_unique<Parser>()) {
  parser_->command = command;
  parser_->app.name("tiphys " + command);
  parser_->app.description(summary);
  if (!examples.empty()) parser_->app.footer("Examples:\n" + std::move(examples));
  parser_->app.allow_extras();
}

Flags::~Flags() = default;

void Flags::flag(const std::string& names, bool& value, const std::string& help) {
  parser_->declared.push_back(
      {names, [&app = parser_->app, names, &value, help] { app.add_flag(names, value, help); }});
}

void Flags::text(const std::string& names, std::string& value, const std::string& metavar, const std::string& help) {
  parser_->declared.push_back({names, [&app = parser_->app, names, &value, metavar, help] {
                                 app.add_option(names, value, help)->type_name(metavar)->take_last();
                               }});
}

void Flags::optional_text(const std::string& names, std::string& value, const std::string& alone,
                          const std::string& metavar, const std::string& help) {
  parser_->app.add_flag(names + "{" + alone + "}", value, help)->type_name("[=" + metavar + "]")->take_last();
}

void Flags::number(const std::string& names, std::optional<std::int64_t>& value, const std::string& metavar,
                   const std::string& help) {
  parser_->declared.push_back(
      {names, [&app = parser_->app, names, &value, metavar, help] {
         const CLI::Validator check(
             [](std::string& given) {
               std::int64_t number = 0;
               const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), number);
               const bool whole = error == std::errc() && end == given.data() + given.size();
               return whole ? std::string() : fmt::format("\"{}\" is not a whole number", given);
             },
             "");
         app.add_option(names, value, help)->type_name(metavar)->take_last()->check(check);
       }});
}

void Flags::list(const std::string& names, std::vector<std::string>& values, const std::string& metavar,
                 const std::string& help) {
  parser_->declared.push_back({names, [&app = parser_->app, names, &values, metavar, help] {
                                 // One value a flag: otherwise CLI11 takes what follows too, and "[a,b]" apart.
                                 app.add_option(names, values, help)->type_name(metavar)->allow_extra_args(false);
                               }});
}

void Flags::choice(const std::string& names, std::string& value, std::vector<std::string> allowed,
                   const std::string& help) {
  parser_->declared.push_back(
      {names, [parser = parser_.get(), names, &value, allowed = std::move(allowed), help]() mutable {
         const std::string one_of = "One of: " + join(allowed, "|");
         const CLI::Validator check(
             [allowed, one_of](std::string& given) {
               const bool known = std::find(allowed.begin(), allowed.end(), given) != allowed.end();
               return known ? std::string() : fmt::format("\"{}\" is not allowed here. {}", given, one_of);
             },
             "");
         const CLI::Option* option =
             parser->app.add_option(names, value, help + ". " + one_of)->type_name("")->take_last()->check(check);
         parser->choices[option] = std::move(allowed);
       }});
}

void Flags::positional(const std::string& metavar, std::vector<std::string>& values, std::size_t least,
                       std::size_t most) {
  parser_->metavar = metavar;
  parser_->positional = &values;
  parser_->least = least;
  parser_->most = most;
}

Result<bool> Flags::parse(const Arguments& arguments) {
  parser_->add_declared({arguments.begin(), std::ranges::find(arguments, "--")});
  if (arguments.size() == 2 && arguments.front() == "--list-values") return parser_->list_values(arguments.back());
  auto parsed = read(arguments);
  if (!parsed) {
    Error error = std::move(parsed).error();
    error.message += fmt::format("\nRun 'tiphys {} --help' for usage.", parser_->command);
    return std::unexpected(std::move(error));
  }
  return parsed;
}

Result<bool> Flags::read(const Arguments& arguments) {
  if (!arguments.empty() && arguments.front() == "--list-flags") {
    for (const auto& name : parser_->known_flags()) print(name + "\n");
    return false;
  }
  // What follows "--" is no flag. CLI11 reads from the end of its vector.
  const auto separator = std::find(arguments.begin(), arguments.end(), "--");
  std::vector<std::string> reversed(std::make_reverse_iterator(separator), arguments.rend());
  try {
    parser_->app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    print(parser_->help());
    return false;
  } catch (const CLI::ParseError& error) {
    return fail(Code::kInvalidArgument, error.what());
  }
  std::vector<std::string> plain;
  for (const auto& rest : parser_->app.remaining()) {
    if (rest.size() > 1 && rest.front() == '-') {
      const std::string name = rest.substr(0, rest.find('='));
      return fail(Code::kInvalidArgument,
                  fmt::format("unknown flag {}{}", name, did_you_mean(name, parser_->known_flags())));
    }
    plain.push_back(rest);
  }
  if (separator != arguments.end()) plain.insert(plain.end(), separator + 1, arguments.end());
  TIPHYS_CHECK_OK(parser_->check_positional(plain));
  if (parser_->positional) *parser_->positional = std::move(plain);
  return true;
}

std::vector<std::string> split_commas(std::span<const std::string> values) {
  std::vector<std::string> parts;
  for (const auto& value : values) {
    for (const auto part : split(value, ',')) {
      if (!trim(part).empty()) parts.emplace_back(trim(part));
    }
  }
  return parts;
}

}  // namespace tiphys::cli
