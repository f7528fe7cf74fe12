// What a supervisor and its clients say to each other over a stream socket.
//
// A frame is a length of 4 bytes (of what follows), a type of 1 byte, and fields as node/bytes.h writes them. Later
// versions may add fields at the end; a reader ignores what it does not know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "node/python/warm_python.h"
#include "node/runtime.h"

namespace tiphys::node {

/// 2: StartRequest::held, kRenew.
inline constexpr std::uint32_t kProtocolVersion = 2;
/// Longest frame: the kernel's limit of arguments and environment and some more.
inline constexpr std::uint32_t kMostFrameBytes = 4 * 1024 * 1024;

enum class FrameType : std::uint8_t {
  kHello = 1,   ///< client: version. The answer is kWelcome
  kStart = 2,   ///< client: StartRequest. A known id is adopted: the supervisor tells what it knows of it
  kStop = 3,    ///< client: id, grace in nanoseconds
  kList = 4,    ///< client: tells kStarted, kExited for each step, then kListed
  kForget = 5,  ///< client: id of an ended step, which leaves the journal
  kPooled = 6,  ///< client: the name of an empty root in kRootPool that may be used again
  kRenew = 7,   ///< client: id of a step, HeldFiles with new content for those that it has

  kWelcome = 33,  ///< version, process id
  kStarted = 34,  ///< id, time, process id of its init
  kFailed = 35,   ///< id, Code, message: it could not be started
  kExited = 36,   ///< id, ContainerExit
  kListed = 37,
  kNotice = 38,  ///< a sentence that the user should read once
};

struct StartRequest {
  std::string id;
  std::string dir;  ///< below the data directory, absolute
  std::vector<std::string> argv;
  std::vector<std::string> env;  ///< "NAME=value"
  std::string working_dir;
  std::vector<Mount> mounts;
  std::string hostname;
  std::int64_t memory_bytes = 0;  ///< 0: no limit
  double cpus = 0;                ///< 0: no limit
  std::optional<std::uint32_t> uid, gid;
  bool read_only_root = false;
  bool privileged = false;
  bool has_root = false;          ///< the client has made `<dir>/root`, with input files in it
  bool ends_with_client = false;  ///< killed when no client is connected any more
  std::vector<HeldFiles> held;    ///< an earlier supervisor shows none of them
  WarmPython python{};            ///< an interpreter that is kept runs it, if there is one
};

struct Welcome {
  std::uint32_t version = 0;
  std::int32_t pid = 0;
};

/// The end of a step, or that it could not start.
struct StepOutcome {
  bool failed_to_start = false;
  Code code = Code::kUnknown;  ///< when failed_to_start: kNotFound and kPermissionDenied are the program's
  ContainerExit exit;
  bool has_root = true;  ///< false: there is no `<dir>/root`, since the step left no file
};

/// Frames, whole, to be written to the socket.
std::string hello_frame();
std::string start_frame(const StartRequest& request);
std::string stop_frame(std::string_view id, Duration grace);
std::string list_frame();
std::string forget_frame(std::string_view id);
std::string pooled_frame(std::string_view name);
std::string renew_frame(std::string_view id, const HeldFiles& files);
std::string welcome_frame(const Welcome& welcome);
std::string started_frame(std::string_view id, Time at, std::int32_t pid);
std::string outcome_frame(std::string_view id, const StepOutcome& outcome);
std::string listed_frame();
std::string notice_frame(std::string_view text);

/// A received frame: its type and the bytes after it.
struct Frame {
  FrameType type{};
  std::string_view body;
};

/// Takes the first frame off `bytes`. nullopt when it is not whole yet; an error when it is too long to be one.
Result<std::optional<Frame>> take_frame(std::string_view& bytes);

Result<std::uint32_t> parse_hello(std::string_view body);
Result<StartRequest> parse_start(std::string_view body);
struct StopRequest {
  std::string id;
  Duration grace{};
};
Result<StopRequest> parse_stop(std::string_view body);
struct RenewRequest {
  std::string id;
  HeldFiles files;
};
Result<RenewRequest> parse_renew(std::string_view body);
/// kForget, kPooled and kNotice.
Result<std::string> parse_name(std::string_view body);
Result<Welcome> parse_welcome(std::string_view body);
struct StartedEvent {
  std::string id;
  Time at{};
  std::int32_t pid = 0;  ///< 0: not told
};
Result<StartedEvent> parse_started(std::string_view body);
struct OutcomeEvent {
  std::string id;
  StepOutcome outcome;
};
/// kFailed and kExited.
Result<OutcomeEvent> parse_outcome(std::string_view body);

/// The fields of an outcome, which the journal keeps too.
class ByteWriter;
class ByteReader;
void put_outcome(ByteWriter& to, const StepOutcome& outcome);
void get_outcome(ByteReader& from, StepOutcome& outcome);

}  // namespace tiphys::node
