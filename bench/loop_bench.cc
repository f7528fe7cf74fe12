// What withParam and substitutions add to an item of a loop: 10,000 items with three substitutions each, beside as many
// turns of withSequence that get the same texts as they stand in the manifest. Processor time, by turns, medians.
//
//   loop_bench [ITEMS] [ROUNDS]      default: 10000 7
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include "api/parse.h"
#include "base/check.h"
#include "engine/run.h"

namespace tiphys::engine {
namespace {

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

api::Workflow workflow(doc::Object loop, bool substitutes) {
  doc::Array arguments, inputs, args;
  for (const char* name : {"a", "b", "c"}) {
    const std::string value =
        substitutes ? fmt::format("{}-{{{{item.{}}}}}", name, name) : fmt::format("{}-text", name);
    arguments.push_back(doc::Object{{"name", name}, {"value", value}});
    inputs.push_back(doc::Object{{"name", name}});
    args.push_back(substitutes ? doc::Value(fmt::format("{{{{inputs.parameters.{}}}}}", name)) : doc::Value(value));
  }
  loop["name"] = "each";
  loop["template"] = "work";
  loop["arguments"] = doc::Object{{"parameters", std::move(arguments)}};
  const doc::Array templates{
      doc::Object{{"name", "main"}, {"steps", doc::Array{doc::Array{std::move(loop)}}}},
      doc::Object{{"name", "work"},
                  {"inputs", {{"parameters", std::move(inputs)}}},
                  {"container", {{"image", "busybox"}, {"command", doc::Array{"echo"}}, {"args", std::move(args)}}}}};
  const doc::Value manifest = doc::Object{{"apiVersion", "argoproj.io/v1alpha1"},
                                          {"kind", "Workflow"},
                                          {"metadata", {{"name", "bench"}}},
                                          {"spec", {{"entrypoint", "main"}, {"templates", templates}}}};
  std::vector<api::Finding> findings;
  api::Workflow parsed = api::parse_workflow(manifest, findings);
  TIPHYS_CHECK(findings.empty(), findings.empty() ? "the workflow is one" : findings.front().message);
  return parsed;
}

/// Seconds from the start to the end of all, each pod rendered.
double play(api::Workflow played, std::size_t items) {
  SeededRandom random(1);
  auto created = Run::create(std::move(played), random);
  TIPHYS_CHECK(created, "a run is created");
  Run& run = **created;
  const double begin = cpu_seconds();
  const Time now{std::chrono::seconds(1'700'000'000)};
  std::vector<Effect> effects;
  std::vector<std::string> pods;
  run.apply(Started{}, now, effects);
  for (Effect& effect : effects) {
    if (auto* pod = std::get_if<CreatePod>(&effect)) pods.push_back(std::move(pod->node_id));
  }
  TIPHYS_CHECK(pods.size() == items, "each item has its pod");
  PodChanged succeeded;
  succeeded.phase = PodChanged::Phase::kSucceeded;
  succeeded.exit_code = 0;
  Event ended = std::move(succeeded);
  for (std::string& id : pods) {
    std::get<PodChanged>(ended).node_id = std::move(id);
    effects.clear();
    run.apply(ended, now, effects);
    run.take_changes();
  }
  TIPHYS_CHECK(run.status().phase == RunStatus::Phase::kSucceeded, run.status().message);
  return cpu_seconds() - begin;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void measure(std::size_t items, std::size_t rounds) {
  std::string list = "[";
  for (std::size_t i = 0; i < items; ++i) {
    list += fmt::format(R"({}{{"a":"first {}","b":{},"c":"third"}})", i ? "," : "", i, i);
  }
  list += "]";
  const auto loop = workflow({{"withParam", list}}, true);
  const auto plain = workflow({{"withSequence", {{"count", std::to_string(items)}}}}, false);
  std::vector<double> of_loop, of_plain;
  for (std::size_t round = 0; round < rounds; ++round) {
    of_loop.push_back(play(loop, items));
    of_plain.push_back(play(plain, items));
  }
  const double scale = 1e6 / static_cast<double>(items);
  fmt::print(
      "{} items: withParam with three substitutions {:.1f} us an item, withSequence without {:.1f}: {:.1f} more\n",
      items, median(of_loop) * scale, median(of_plain) * scale, (median(of_loop) - median(of_plain)) * scale);
}

}  // namespace
}  // namespace tiphys::engine

int main(int argc, char** argv) {
  std::size_t numbers[] = {10'000, 7};
  for (int i = 1; i < argc && i < 3; ++i) {
    const std::string_view text = argv[i];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), numbers[i - 1]);
    if (error != std::errc() || end != text.data() + text.size() || numbers[i - 1] == 0) {
      fmt::print(stderr, "loop_bench: \"{}\" is no whole number above 0\n", text);
      return 2;
    }
  }
  tiphys::engine::measure(numbers[0], numbers[1]);
  return 0;
}
