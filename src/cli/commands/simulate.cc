// tiphys simulate.
#include <fmt/format.h>

#include <algorithm>

#include "api/parse.h"
#include "base/quantity.h"
#include "base/strings.h"
#include "cli/commands/common.h"
#include "cli/play_files.h"
#include "cli/terminal.h"
#include "cli/view/gantt.h"
#include "cluster/pod_annotations.h"
#include "controllers/pod_builder.h"
#include "node/agent/pod_spec.h"
#include "play/glob.h"
#include "play/run_tests.h"
#include "play/schedule.h"

namespace tiphys::cli {
namespace {

constexpr std::string_view kExamples = R"(  tiphys simulate examples/dag-diamond.yaml --duration echo=30s
  tiphys simulate wf.yaml --with wf.test.yaml --parallelism 2
  tiphys simulate wf.yaml --cpus 4 --memory 8Gi
)";

struct SimulateOptions {
  std::vector<std::string> files, durations, parameters;
  std::string with, workflow, entrypoint, cpus, memory, output;
  std::optional<std::int64_t> parallelism;
  bool no_color = false, no_utf8 = false;
};

/// How long nodes of a template, or of a name, take.
struct GivenDuration {
  std::string pattern;
  Duration duration{};
};

std::pair<std::string, std::string> split_at_last_equals(const std::string& text) {
  const auto equals = text.rfind('=');
  if (equals == std::string::npos) return {text, ""};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

Result<std::vector<GivenDuration>> read_durations(const SimulateOptions& options, const play::KnownNames& known) {
  std::vector<GivenDuration> out;
  for (const std::string& text : options.durations) {
    const auto [pattern, value] = split_at_last_equals(text);
    const auto duration = parse_seconds_or_duration(value);
    if (!duration) {
      return fail(Code::kInvalidArgument, fmt::format("--duration {}: write TEMPLATE=30s, or NODE=30s", text));
    }
    if (!known.templates.contains(pattern) && !known.may_name(pattern)) {
      std::vector<std::string> names(known.templates.begin(), known.templates.end());
      names.insert(names.end(), known.nodes.begin(), known.nodes.end());
      return fail(Code::kInvalidArgument, fmt::format("--duration {}: no template or node is called \"{}\"{}", text,
                                                      pattern, did_you_mean(pattern, names)));
    }
    out.push_back({pattern, *duration});
  }
  return out;
}

Result<play::Submission> submission_of(const SimulateOptions& options) {
  play::Submission submission;
  submission.workflow = options.workflow;
  submission.entrypoint = options.entrypoint;
  submission.parallelism = options.parallelism;
  submission.start = play::kDefaultStart;
  for (const std::string& parameter : options.parameters) {
    const auto equals = parameter.find('=');
    if (equals == std::string::npos) {
      return fail(Code::kInvalidArgument,
                  fmt::format("expected parameter of the form: NAME=VALUE. Received: {}", parameter));
    }
    submission.parameters[parameter.substr(0, equals)] = parameter.substr(equals + 1);
  }
  return submission;
}

Result<play::Resources> machine_of(const SimulateOptions& options) {
  play::Resources machine;
  for (const auto& [text, out] :
       {std::pair(&options.cpus, &machine.cpus), std::pair(&options.memory, &machine.memory_bytes)}) {
    if (text->empty()) continue;
    TIPHYS_TRY(*out, parse_quantity(*text));
  }
  return machine;
}

/// The flags first, then mocks, then the template's annotation.
Duration duration_of(const std::vector<GivenDuration>& given, const api::NodeStatus& node, const doc::Value& tmpl,
                     std::optional<Duration> mocked) {
  for (const GivenDuration& each : given) {
    const auto names = play::names_of(node);
    const bool fits = api::template_of(node) == each.pattern ||
                      std::ranges::any_of(names, [&](auto name) { return play::glob_match(each.pattern, name); });
    if (fits) return each.duration;
  }
  if (mocked) return *mocked;
  const std::string_view text = doc::find_string(tmpl, "metadata", "annotations", cluster::kDurationAnnotation);
  return parse_seconds_or_duration(text).value_or(play::kShort);
}

Status check_mocks(const play::TestFile& file, const play::KnownNames& known) {
  std::vector<api::Finding> findings;
  play::check_mocks(file.mocks, known, findings);
  if (findings.empty()) return {};
  return fail(Code::kInvalidArgument, api::render_findings(findings, file.marks));
}

/// What lacks a mock, in words for a command line.
Error lacking(const play::Played& played, const SimulateOptions& options, const play::TestFile& mocks) {
  if (!options.with.empty()) return {Code::kInvalidArgument, api::render_findings(played.findings, mocks.marks)};
  return {Code::kInvalidArgument, played.findings.front().message + " of a file for --with"};
}

Result<play::Played> simulate(const SimulateOptions& options) {
  TIPHYS_TRY(auto documents, load_documents(options.files));
  const play::WorkflowSet workflows(std::move(documents));
  play::TestFile mocks;
  if (!options.with.empty()) {
    TIPHYS_TRY(mocks, load_mocks(options.with));
  }
  TIPHYS_TRY(const play::Submission submission, submission_of(options));
  SeededRandom random(1);
  TIPHYS_TRY(api::Workflow workflow, workflows.prepare(submission, random));
  const play::KnownNames known = workflows.known_names(workflow);
  TIPHYS_CHECK_OK(check_mocks(mocks, known));
  TIPHYS_TRY(const auto durations, read_durations(options, known));

  play::Script script;
  for (const play::Mock& mock : mocks.mocks) script.mocks.push_back(&mock);
  TIPHYS_TRY(script.machine, machine_of(options));
  script.duration = [&](const api::NodeStatus& node, const doc::Value& tmpl, std::optional<Duration> mocked) {
    return duration_of(durations, node, tmpl, mocked);
  };
  script.find_template = [&](const api::Workflow& of, const api::TemplateRef& ref) {
    return workflows.find_template(of, ref);
  };
  const controllers::PodBuilder builder(workflow, expr::Ambient{submission.start, &random});
  script.requests = [&](const engine::CreatePod& pod) -> Result<play::Resources> {
    TIPHYS_TRY(const doc::Value document, builder.build(pod));
    TIPHYS_TRY(const node::PodRequests requests, node::pod_requests(document));
    return play::Resources{requests.cpus, requests.memory_bytes};
  };
  TIPHYS_TRY(play::Played played, play::play(std::move(workflow), script, random));
  if (!played.findings.empty()) return std::unexpected(lacking(played, options, mocks));
  return played;
}

std::string json_of(const play::Schedule& schedule, const play::Played& played) {
  const auto seconds = [](Duration duration) { return std::chrono::duration<double>(duration).count(); };
  doc::Array rows, path;
  for (const play::ScheduleRow& row : schedule.rows) {
    rows.push_back(doc::Object{{"name", row.name},
                               {"node", row.node_id},
                               {"template", row.template_name},
                               {"phase", api::node_phase_name(row.phase)},
                               {"pod", row.is_pod},
                               {"asked", seconds(row.asked)},
                               {"start", seconds(row.started)},
                               {"end", seconds(row.finished)},
                               {"cpus", row.requests.cpus},
                               {"memory", row.requests.memory_bytes},
                               {"critical", row.critical}});
  }
  for (const std::size_t i : schedule.critical) path.push_back(doc::Value(schedule.rows[i].name));
  return doc::to_json(doc::Object{{"phase", engine::phase_name(played.status.phase)},
                                  {"message", played.unfinished.empty() ? played.status.message : played.unfinished},
                                  {"total", seconds(schedule.total)},
                                  {"criticalPath", std::move(path)},
                                  {"mostPods", schedule.most_pods},
                                  {"mostCpus", schedule.most.cpus},
                                  {"mostMemory", schedule.most.memory_bytes},
                                  {"steps", std::move(rows)}}) +
         "\n";
}

/// How it ends, and because of which step, if it does not succeed.
std::string phase_line(const play::Played& played) {
  std::string why = played.unfinished.empty() ? played.status.message : played.unfinished;
  for (const play::Work& work : played.work) {
    const auto node = std::ranges::find(played.nodes, work.node_id, &api::NodeStatus::id);
    if (!api::failed_or_error(node->phase) || !played.unfinished.empty()) continue;
    why = fmt::format("{}: {}", node->display_name, node->message);
    break;
  }
  return fmt::format("Phase          {}{}{}\n", engine::phase_name(played.status.phase), why.empty() ? "" : ": ",
                     printable(why));
}

void add_flags(Flags& flags, SimulateOptions& options) {
  flags.positional("FILE", options.files, 1, 1000);
  flags.text("--with", options.with, "FILE", "Mocks, as `tiphys test` reads them: durations, failures, outputs");
  flags.list("--duration", options.durations, "TEMPLATE=TIME",
             "How long a template's, or a node's, pods run; repeatable");
  flags.list("-p,--parameter", options.parameters, "NAME=VALUE", "Pass an input parameter; may be repeated");
  flags.text("--workflow", options.workflow, "NAME", "Which of the files' workflows");
  flags.text("--entrypoint", options.entrypoint, "TEMPLATE", "Override the entrypoint");
  flags.number("--parallelism", options.parallelism, "N", "Override the workflow's parallelism");
  flags.text("--cpus", options.cpus, "N", "What pods may request at once of this machine: the others wait");
  flags.text("--memory", options.memory, "SIZE", "The same of memory, such as 8Gi");
  flags.choice("-o,--output", options.output, {"text", "json"}, "Output format");
  flags.flag("--no-color", options.no_color, "Disable colorized output");
  flags.flag("--no-utf8", options.no_utf8, "Use plain 7-bits ascii characters");
}

}  // namespace

int simulate_command(const Arguments& arguments) {
  Flags flags("simulate", "Show when the steps of a workflow would run", std::string(kExamples));
  SimulateOptions options;
  add_flags(flags, options);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("simulate", parsed.error());
  if (!*parsed) return kSucceeded;
  const auto played = simulate(options);
  if (!played) {
    // Findings have positions and stand for themselves.
    if (played.error().message.ends_with('\n')) return print_error(played.error().message), kBadUsage;
    const bool unknown = played.error().code == Code::kNotFound;
    return report("simulate", unknown ? Error{Code::kInvalidArgument, played.error().message} : played.error());
  }
  const play::Schedule schedule = play::schedule_of(*played);
  if (options.output == "json") {
    print(json_of(schedule, *played));
  } else {
    const Style style = choose_style(options.no_color, options.no_utf8);
    print(gantt_text(schedule, style, terminal_size().columns) + "\n" + schedule_summary(schedule, style));
    if (played->status.phase != engine::RunStatus::Phase::kSucceeded) print(phase_line(*played));
  }
  return played->status.phase == engine::RunStatus::Phase::kSucceeded ? kSucceeded : kFailed;
}

}  // namespace tiphys::cli
