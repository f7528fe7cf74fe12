#include "node/supervisor/supervisor_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "node/supervisor/bytes.h"

namespace tiphys::node {
namespace {

enum class Kind : std::uint8_t { kBoot = 1, kStarted = 2, kEnded = 3, kForgotten = 4 };

constexpr std::size_t kHead = 2 * sizeof(std::uint32_t);
constexpr std::size_t kMostMessageBytes = 1024;
constexpr std::size_t kMostIdBytes = 512;
/// An ended record is never longer.
constexpr std::uint64_t kEndedBytes = 2048;
constexpr std::uint64_t kReserveStep = 64 * 1024;
constexpr std::uint64_t kRewriteBytes = 1024 * 1024;
constexpr std::uint64_t kMostFileBytes = 1ULL << 30;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82F63B78u : 0u);
    table[i] = value;
  }
  return table;
}

/// CRC-32C.
std::uint32_t checksum(std::string_view bytes) {
  static constexpr auto kTable = make_crc_table();
  std::uint32_t value = ~0u;
  for (const char c : bytes) value = (value >> 8) ^ kTable[(value ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~value;
}

std::string record_of(std::string_view payload) {
  ByteWriter record;
  record.put(static_cast<std::uint32_t>(payload.size())).put(checksum(payload));
  return record.take().append(payload);
}

std::string payload_of(Kind kind, std::string_view id) {
  return ByteWriter().put(static_cast<std::uint8_t>(kind)).put(id).take();
}

std::string started_payload(std::string_view id, Time at) {
  ByteWriter payload;
  payload.put(static_cast<std::uint8_t>(Kind::kStarted)).put(id).put(std::int64_t{at.time_since_epoch().count()});
  return payload.take();
}

std::string ended_payload(std::string_view id, const StepOutcome& outcome) {
  ByteWriter payload;
  payload.put(static_cast<std::uint8_t>(Kind::kEnded)).put(id);
  put_outcome(payload, outcome);
  return payload.take();
}

Result<std::string> read_all(int fd) {
  struct stat about;
  if (::fstat(fd, &about) != 0) return fail_errno("look at the supervisor's journal", errno);
  if (static_cast<std::uint64_t>(about.st_size) > kMostFileBytes) {
    return fail(Code::kDataLoss, "the supervisor's journal is too large to be one");
  }
  std::string bytes(static_cast<std::size_t>(about.st_size), 0);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (count < 0) return fail_errno("read the supervisor's journal", errno);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

Status write_all(int fd, std::string_view bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (count < 0) return fail_errno("write the supervisor's journal", errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
    at += static_cast<std::uint64_t>(count);
  }
  return {};
}

}  // namespace

Result<SupervisorJournal> SupervisorJournal::open(int folder, std::string name, const std::string& boot_id, Time now) {
  SupervisorJournal journal;
  journal.folder_ = folder;
  journal.name_ = std::move(name);
  TIPHYS_CHECK_OK(journal.read_file());
  TIPHYS_CHECK_OK(journal.end_vanished(boot_id, now));
  if (journal.end_ > kRewriteBytes) TIPHYS_CHECK_OK(journal.rewrite());
  return journal;
}

const JournalStep* SupervisorJournal::find(std::string_view id) const {
  const auto found = steps_.find(id);
  return found == steps_.end() ? nullptr : &found->second;
}

Status SupervisorJournal::read_file() {
  file_.reset(::openat(folder_, name_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file_ && errno == ENOENT) {
    file_.reset(::openat(folder_, name_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    new_name_ = true;
  }
  if (!file_) return fail_errno("open the supervisor's journal", errno);
  TIPHYS_TRY(const std::string bytes, read_all(file_.get()));
  std::string_view rest = bytes;
  for (;;) {
    std::uint32_t size = 0;
    std::uint32_t sum = 0;
    if (!ByteReader(rest).get(size).get(sum).ok() || size == 0 || rest.size() - kHead < size) break;
    const std::string_view payload = rest.substr(kHead, size);
    if (checksum(payload) != sum || !apply(payload)) break;
    rest.remove_prefix(kHead + size);
  }
  end_ = bytes.size() - rest.size();
  reserved_ = bytes.size();
  // What follows a torn record was never told to anybody; it must not come to life behind a new record.
  if (rest.find_first_not_of('\0') != std::string_view::npos) {
    if (::ftruncate(file_.get(), static_cast<off_t>(end_)) != 0) return fail_errno("mend the journal", errno);
    reserved_ = end_;
  }
  return {};
}

bool SupervisorJournal::apply(std::string_view payload) {
  ByteReader from(payload);
  std::uint8_t kind = 0;
  std::string id;
  from.get(kind).get(id);
  const std::uint64_t record_bytes = kHead + payload.size();
  switch (static_cast<Kind>(kind)) {
    case Kind::kBoot:
      boot_id_ = id;
      break;
    case Kind::kStarted: {
      std::int64_t at = 0;
      from.get(at);
      if (from.ok()) steps_.insert_or_assign(id, JournalStep{Time{std::chrono::nanoseconds(at)}, {}, record_bytes});
      break;
    }
    case Kind::kEnded: {
      StepOutcome outcome;
      get_outcome(from, outcome);
      if (!from.ok()) break;
      steps_[id].outcome = std::move(outcome);
      steps_[id].recorded_bytes += record_bytes;
      break;
    }
    case Kind::kForgotten:
      forgotten_bytes_ += steps_[id].recorded_bytes + record_bytes;
      steps_.erase(id);
      break;
    default:
      return false;
  }
  return from.ok();
}

Status SupervisorJournal::end_vanished(const std::string& boot_id, Time now) {
  const bool rebooted = boot_id_ != boot_id;
  running_ = static_cast<std::size_t>(
      std::ranges::count_if(steps_, [](const auto& step) { return !step.second.outcome.has_value(); }));
  if (rebooted) {
    TIPHYS_CHECK_OK(reserve(end_ + kHead + boot_id.size() + kEndedBytes * (running_ + 1)));
    TIPHYS_CHECK_OK(append(payload_of(Kind::kBoot, boot_id)));
    boot_id_ = boot_id;
  }
  std::vector<std::string> vanished;
  for (const auto& [id, step] : steps_) {
    if (!step.outcome) vanished.push_back(id);
  }
  for (const std::string& id : vanished) {
    StepOutcome outcome;
    outcome.exit.exit_code = 137;
    outcome.exit.reason = "ContainerStatusUnknown";
    outcome.exit.message = rebooted
                               ? "the machine was restarted while this step ran; how it ended is not known"
                               : "the supervisor was ended while this step ran, and the step with it; how far it came "
                                 "is not known";
    outcome.exit.started_at = steps_[id].started_at;
    outcome.exit.finished_at = now;
    TIPHYS_CHECK_OK(ended(id, std::move(outcome)));
  }
  return {};
}

Status SupervisorJournal::reserve(std::uint64_t end) {
  if (end <= reserved_) return {};
  const std::uint64_t wanted = (end / kReserveStep + 1) * kReserveStep;
  // Zeros, not fallocate(): its blocks are marked unwritten, and each first write to one costs a sync of the file
  // system's own journal.
  static constexpr std::array<char, kReserveStep> kZeros{};
  for (std::uint64_t at = std::max(reserved_, end_); at < wanted; at += kReserveStep) {
    const std::string_view zeros(kZeros.data(), std::min(kReserveStep, wanted - at));
    TIPHYS_CHECK_OK(write_all(file_.get(), zeros, at));
  }
  reserved_ = wanted;
  return {};
}

Status SupervisorJournal::append(std::string_view payload) {
  const std::string record = record_of(payload);
  TIPHYS_CHECK_OK(write_all(file_.get(), record, end_));
  end_ += record.size();
  dirty_ = true;
  return {};
}

Status SupervisorJournal::started(const std::string& id, Time at) {
  if (id.size() > kMostIdBytes) return fail(Code::kInvalidArgument, "the id of a step is too long");
  const std::string payload = started_payload(id, at);
  TIPHYS_CHECK_OK(reserve(end_ + kHead + payload.size() + kEndedBytes * (running_ + 1)));
  TIPHYS_CHECK_OK(append(payload));
  steps_.insert_or_assign(id, JournalStep{at, {}, kHead + payload.size()});
  ++running_;
  return {};
}

Status SupervisorJournal::ended(const std::string& id, StepOutcome outcome) {
  if (outcome.exit.message.size() > kMostMessageBytes) outcome.exit.message.resize(kMostMessageBytes);
  const std::string payload = ended_payload(id, outcome);
  const Status written = append(payload);
  JournalStep& step = steps_[id];
  step.recorded_bytes += kHead + payload.size();
  if (!step.outcome) --running_;
  step.outcome = std::move(outcome);
  return written;
}

void SupervisorJournal::forgotten(const std::string& id) {
  const auto step = steps_.find(id);
  if (step == steps_.end()) return;
  forgotten_bytes_ += step->second.recorded_bytes;
  steps_.erase(step);
  const std::string payload = payload_of(Kind::kForgotten, id);
  if (!reserve(end_ + kHead + payload.size() + kEndedBytes * (running_ + 1))) return;
  if (!append(payload)) return;
  forgotten_bytes_ += kHead + payload.size();
}

bool SupervisorJournal::is_mostly_forgotten() const {
  return end_ > kRewriteBytes && 2 * forgotten_bytes_ > end_;
}

Status SupervisorJournal::sync() {
  if (!dirty_) return {};
  if (is_mostly_forgotten()) {
    if (rewrite()) return {};
    forgotten_bytes_ = 0;  // there may be no room for a second file: try again much later
  }
  if (::fdatasync(file_.get()) != 0) return fail_errno("write the supervisor's journal to disk", errno);
  if (new_name_) {
    if (::fsync(folder_) != 0) return fail_errno("write the supervisor's folder to disk", errno);
    new_name_ = false;
  }
  dirty_ = false;
  return {};
}

Status SupervisorJournal::rewrite() {
  std::string bytes = record_of(payload_of(Kind::kBoot, boot_id_));
  for (const auto& [id, step] : steps_) {
    bytes += record_of(started_payload(id, step.started_at));
    if (step.outcome) bytes += record_of(ended_payload(id, *step.outcome));
  }
  const std::string fresh = name_ + ".new";
  UniqueFd file(::openat(folder_, fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return fail_errno("rewrite the supervisor's journal", errno);
  TIPHYS_CHECK_OK(write_all(file.get(), bytes, 0));
  std::swap(file_, file);
  const std::uint64_t old_end = std::exchange(end_, bytes.size());
  const std::uint64_t old_reserved = std::exchange(reserved_, 0);
  Status done = reserve(end_ + kEndedBytes * (running_ + 1));
  if (done && (::fsync(file_.get()) != 0 || ::renameat(folder_, fresh.c_str(), folder_, name_.c_str()) != 0 ||
               ::fsync(folder_) != 0)) {
    done = fail_errno("rewrite the supervisor's journal", errno);
  }
  if (!done) {
    std::swap(file_, file);
    end_ = old_end;
    reserved_ = old_reserved;
    ::unlinkat(folder_, fresh.c_str(), 0);
    return done;
  }
  forgotten_bytes_ = 0;
  dirty_ = new_name_ = false;
  return {};
}

}  // namespace tiphys::node
