#include "node/supervisor/supervisor_protocol.h"

#include <fmt/format.h>

#include "node/supervisor/bytes.h"

namespace tiphys::node {
namespace {

std::string frame(FrameType type, const ByteWriter& body) {
  ByteWriter whole;
  whole.put(static_cast<std::uint32_t>(body.bytes().size() + 1)).put(static_cast<std::uint8_t>(type));
  return whole.take() + body.bytes();
}

std::unexpected<Error> malformed(std::string_view what) {
  return fail(Code::kDataLoss, fmt::format("a {} frame of the supervisor's protocol is malformed", what));
}

std::int64_t nanoseconds(Time time) {
  return time.time_since_epoch().count();
}

Time time_of(std::int64_t ns) {
  return Time{std::chrono::nanoseconds(ns)};
}

void put_id(ByteWriter& to, const std::optional<std::uint32_t>& id) {
  to.put(static_cast<std::int64_t>(id ? std::int64_t{*id} : -1));
}

void get_id(ByteReader& from, std::optional<std::uint32_t>& id) {
  std::int64_t value = -1;
  from.get(value);
  id.reset();
  if (value >= 0) id = static_cast<std::uint32_t>(value);
}

void put_held(ByteWriter& to, const HeldFiles& held) {
  to.put(held.path).put(static_cast<std::uint32_t>(held.files.size()));
  for (const HeldFiles::File& file : held.files) to.put(file.name).put(file.content).put(file.mode);
}

void get_held(ByteReader& from, HeldFiles& held) {
  std::uint32_t count = 0;
  from.get(held.path).get(count);
  for (; count != 0 && from.ok(); --count) {
    HeldFiles::File& file = held.files.emplace_back();
    from.get(file.name).get(file.content).get(file.mode);
  }
}

}  // namespace

std::string hello_frame() {
  return frame(FrameType::kHello, ByteWriter().put(kProtocolVersion));
}

std::string start_frame(const StartRequest& request) {
  ByteWriter to;
  to.put(request.id).put(request.dir).put(request.argv).put(request.env).put(request.working_dir);
  to.put(static_cast<std::uint32_t>(request.mounts.size()));
  for (const Mount& mount : request.mounts) {
    to.put(mount.host_path).put(mount.path).put(static_cast<std::uint8_t>(mount.read_only));
  }
  to.put(request.hostname).put(request.memory_bytes).put(request.cpus);
  put_id(to, request.uid);
  put_id(to, request.gid);
  to.put(static_cast<std::uint8_t>(request.read_only_root)).put(static_cast<std::uint8_t>(request.privileged));
  to.put(static_cast<std::uint8_t>(request.has_root)).put(static_cast<std::uint8_t>(request.ends_with_client));
  to.put(static_cast<std::uint32_t>(request.held.size()));
  for (const HeldFiles& held : request.held) put_held(to, held);
  const WarmPython& python = request.python;
  if (!python.interpreter.empty()) {
    to.put(python.interpreter).put(python.edition).put(python.modules).put(python.folders);
  }
  return frame(FrameType::kStart, to);
}

Result<StartRequest> parse_start(std::string_view body) {
  StartRequest request;
  ByteReader from(body);
  from.get(request.id).get(request.dir).get(request.argv).get(request.env).get(request.working_dir);
  std::uint32_t mounts = 0;
  from.get(mounts);
  for (; mounts != 0 && from.ok(); --mounts) {
    Mount& mount = request.mounts.emplace_back();
    std::uint8_t read_only = 0;
    from.get(mount.host_path).get(mount.path).get(read_only);
    mount.read_only = read_only != 0;
  }
  from.get(request.hostname).get(request.memory_bytes).get(request.cpus);
  get_id(from, request.uid);
  get_id(from, request.gid);
  std::uint8_t read_only_root = 0;
  std::uint8_t privileged = 0;
  std::uint8_t has_root = 0;
  from.get(read_only_root).get(privileged).get(has_root);
  request.read_only_root = read_only_root != 0;
  request.privileged = privileged != 0;
  request.has_root = has_root != 0;
  if (!from.ok() || request.argv.empty()) return malformed("start");
  // An earlier version does not say.
  std::uint8_t ends_with_client = 0;
  from.get(ends_with_client);
  request.ends_with_client = ends_with_client != 0;
  if (!from.ok() || from.at_end()) return request;
  std::uint32_t held = 0;
  from.get(held);
  for (; held != 0 && from.ok(); --held) get_held(from, request.held.emplace_back());
  if (!from.ok()) return malformed("start");
  if (from.at_end()) return request;
  WarmPython& python = request.python;
  from.get(python.interpreter).get(python.edition).get(python.modules).get(python.folders);
  if (!from.ok()) return malformed("start");
  return request;
}

std::string stop_frame(std::string_view id, Duration grace) {
  return frame(FrameType::kStop, ByteWriter().put(id).put(std::int64_t{grace.count()}));
}

Result<StopRequest> parse_stop(std::string_view body) {
  StopRequest request;
  std::int64_t grace = 0;
  if (!ByteReader(body).get(request.id).get(grace).ok()) return malformed("stop");
  request.grace = Duration(grace);
  return request;
}

std::string list_frame() {
  return frame(FrameType::kList, ByteWriter());
}

std::string forget_frame(std::string_view id) {
  return frame(FrameType::kForget, ByteWriter().put(id));
}

std::string pooled_frame(std::string_view name) {
  return frame(FrameType::kPooled, ByteWriter().put(name));
}

std::string renew_frame(std::string_view id, const HeldFiles& files) {
  ByteWriter to;
  to.put(id);
  put_held(to, files);
  return frame(FrameType::kRenew, to);
}

Result<RenewRequest> parse_renew(std::string_view body) {
  RenewRequest request;
  ByteReader from(body);
  from.get(request.id);
  get_held(from, request.files);
  if (!from.ok()) return malformed("renew");
  return request;
}

Result<std::string> parse_name(std::string_view body) {
  std::string name;
  if (!ByteReader(body).get(name).ok()) return malformed("name");
  return name;
}

Result<std::uint32_t> parse_hello(std::string_view body) {
  std::uint32_t version = 0;
  if (!ByteReader(body).get(version).ok()) return malformed("hello");
  return version;
}

std::string welcome_frame(const Welcome& welcome) {
  return frame(FrameType::kWelcome, ByteWriter().put(welcome.version).put(welcome.pid));
}

Result<Welcome> parse_welcome(std::string_view body) {
  Welcome welcome;
  if (!ByteReader(body).get(welcome.version).get(welcome.pid).ok()) return malformed("welcome");
  return welcome;
}

std::string started_frame(std::string_view id, Time at, std::int32_t pid) {
  return frame(FrameType::kStarted, ByteWriter().put(id).put(nanoseconds(at)).put(pid));
}

Result<StartedEvent> parse_started(std::string_view body) {
  StartedEvent event;
  std::int64_t at = 0;
  ByteReader reader(body);
  if (!reader.get(event.id).get(at).ok()) return malformed("started");
  event.at = time_of(at);
  // An earlier version does not tell.
  reader.get(event.pid);
  return event;
}

void put_outcome(ByteWriter& to, const StepOutcome& outcome) {
  const ContainerExit& exit = outcome.exit;
  to.put(static_cast<std::uint8_t>(outcome.failed_to_start)).put(static_cast<std::int32_t>(outcome.code));
  to.put(std::int32_t{exit.exit_code}).put(std::int32_t{exit.signal}).put(exit.reason).put(exit.message);
  to.put(nanoseconds(exit.started_at)).put(nanoseconds(exit.finished_at));
  to.put(static_cast<std::uint8_t>(outcome.has_root));
}

void get_outcome(ByteReader& from, StepOutcome& outcome) {
  std::uint8_t failed = 0;
  std::int32_t code = 0;
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;
  std::int64_t started = 0;
  std::int64_t finished = 0;
  from.get(failed).get(code).get(exit_code).get(signal).get(outcome.exit.reason).get(outcome.exit.message);
  std::uint8_t has_root = 1;
  from.get(started).get(finished);
  if (!from.at_end()) from.get(has_root);  // a journal of an earlier version does not tell
  outcome.has_root = has_root != 0;
  outcome.failed_to_start = failed != 0;
  outcome.code = static_cast<Code>(code);
  outcome.exit.exit_code = exit_code;
  outcome.exit.signal = signal;
  outcome.exit.started_at = time_of(started);
  outcome.exit.finished_at = time_of(finished);
}

std::string outcome_frame(std::string_view id, const StepOutcome& outcome) {
  ByteWriter to;
  to.put(id);
  put_outcome(to, outcome);
  return frame(outcome.failed_to_start ? FrameType::kFailed : FrameType::kExited, to);
}

Result<OutcomeEvent> parse_outcome(std::string_view body) {
  OutcomeEvent event;
  ByteReader from(body);
  from.get(event.id);
  get_outcome(from, event.outcome);
  if (!from.ok()) return malformed("outcome");
  return event;
}

std::string listed_frame() {
  return frame(FrameType::kListed, ByteWriter());
}

std::string notice_frame(std::string_view text) {
  return frame(FrameType::kNotice, ByteWriter().put(text));
}

Result<std::optional<Frame>> take_frame(std::string_view& bytes) {
  constexpr std::size_t kHead = sizeof(std::uint32_t);
  if (bytes.size() < kHead) return std::nullopt;
  std::uint32_t size = 0;
  ByteReader(bytes).get(size);
  if (size == 0 || size > kMostFrameBytes) {
    return fail(Code::kDataLoss, fmt::format("a frame of {} bytes is none of the supervisor's protocol", size));
  }
  if (bytes.size() < kHead + size) return std::nullopt;
  const Frame frame{static_cast<FrameType>(bytes[kHead]), bytes.substr(kHead + 1, size - 1)};
  bytes.remove_prefix(kHead + size);
  return frame;
}

}  // namespace tiphys::node
