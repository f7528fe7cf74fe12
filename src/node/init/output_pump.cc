#include "node/init/output_pump.h"

#include <errno.h>
#include <fcntl.h>

#include "node/init/raw_files.h"
#include "node/init/raw_syscall.h"

namespace tiphys::node {
namespace {

constexpr std::int64_t kNanosecondsASecond = 1'000'000'000;
constexpr std::int64_t kSecondsADay = 86'400;
constexpr char kNewline = '\n';
constexpr char kLogName[] = "/log";

void write_digits(char* out, std::int64_t value, int count) {
  for (int i = count - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

void write_log_prefix(char* out, std::int64_t nanoseconds, bool is_stderr, bool partial) {
  const std::int64_t seconds = nanoseconds / kNanosecondsASecond;
  const std::int64_t of_day = seconds % kSecondsADay;
  // Days to a civil date, after Hinnant's days algorithm (March-based years of the proleptic calendar).
  const std::int64_t shifted = seconds / kSecondsADay + 719'468;
  const std::int64_t era = shifted / 146'097;
  const std::int64_t day_of_era = shifted % 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);

  write_digits(out, year, 4);
  out[4] = '-';
  write_digits(out + 5, month, 2);
  out[7] = '-';
  write_digits(out + 8, day_of_year - (153 * month_from_march + 2) / 5 + 1, 2);
  out[10] = 'T';
  write_digits(out + 11, of_day / 3600, 2);
  out[13] = ':';
  write_digits(out + 14, of_day / 60 % 60, 2);
  out[16] = ':';
  write_digits(out + 17, of_day % 60, 2);
  out[19] = '.';
  write_digits(out + 20, nanoseconds % kNanosecondsASecond, 9);
  out[29] = 'Z';
  const char* tail = is_stderr ? (partial ? " stderr P " : " stderr F ") : (partial ? " stdout P " : " stdout F ");
  for (int i = 0; i < 10; ++i) out[30 + i] = tail[i];
}

OutputPump::OutputPump(char* memory, int data_fd, std::int32_t* log_errno) : data_fd_(data_fd), log_errno_(log_errno) {
  static_assert(2 * kReadBytes + kMostLinesAtOnce * (kLogPrefixBytes + 3 * sizeof(iovec)) <= kPumpBytes);
  static_assert(3 * kMostLinesAtOnce <= 1024, "IOV_MAX");
  pieces_ = reinterpret_cast<iovec*>(memory);
  prefixes_ = memory + kMostLinesAtOnce * 3 * sizeof(iovec);
  streams_[0] = {prefixes_ + kMostLinesAtOnce * kLogPrefixBytes, 0};
  streams_[1] = {streams_[0].data + kReadBytes, 0};
}

bool OutputPump::set_dir(const char* dir) {
  std::size_t size = 0;
  while (dir[size] != 0) ++size;
  if (size + sizeof kLogName > sizeof path_) return false;
  copy_bytes(path_, dir, size);
  copy_bytes(path_ + size, kLogName, sizeof kLogName);
  return true;
}

void OutputPump::read_some(int fd, bool is_stderr) {
  Stream& stream = streams_[is_stderr];
  const long count = raw(SYS_read, fd, stream.data + stream.used, kReadBytes - stream.used);
  if (count <= 0) return;
  stream.used += static_cast<std::size_t>(count);
  emit_lines(stream, is_stderr, false);
}

void OutputPump::finish(int fd, bool is_stderr) {
  Stream& stream = streams_[is_stderr];
  for (;;) {
    const long count = raw(SYS_read, fd, stream.data + stream.used, kReadBytes - stream.used);
    if (count <= 0) break;
    stream.used += static_cast<std::size_t>(count);
    emit_lines(stream, is_stderr, false);
  }
  emit_lines(stream, is_stderr, true);
}

void OutputPump::emit_lines(Stream& stream, bool is_stderr, bool at_end) {
  if (stream.used == 0) return;
  const std::int64_t now = now_ns();
  std::size_t start = 0;
  std::size_t at = 0;
  for (; at < stream.used; ++at) {
    if (stream.data[at] == kNewline) {
      add(stream.data + start, at - start, now, is_stderr, false);
      start = at + 1;
    } else if (at - start == kMostLineBytes) {
      add(stream.data + start, kMostLineBytes, now, is_stderr, true);
      start = at;
    }
  }
  if (at_end && start < stream.used) {
    // The text ends without a newline: as in a container engine's log, only a P line can say that.
    add(stream.data + start, stream.used - start, now, is_stderr, true);
    start = stream.used;
  }
  flush();
  stream.used -= start;
  if (start != 0 && stream.used != 0) copy_bytes(stream.data, stream.data + start, stream.used);
}

void OutputPump::add(const char* text, std::size_t size, std::int64_t now, bool is_stderr, bool partial) {
  char* prefix = prefixes_ + lines_ * kLogPrefixBytes;
  write_log_prefix(prefix, now, is_stderr, partial);
  pieces_[piece_count_++] = {prefix, kLogPrefixBytes};
  if (size != 0) pieces_[piece_count_++] = {const_cast<char*>(text), size};
  pieces_[piece_count_++] = {const_cast<char*>(&kNewline), 1};
  if (++lines_ == kMostLinesAtOnce) flush();
}

void OutputPump::close() {
  if (log_fd_ >= 0) raw(SYS_close, log_fd_);
  log_fd_ = -1;
}

long OutputPump::open_in_folder() const {
  return raw(SYS_openat, data_fd_, path_, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
}

bool OutputPump::open_log() {
  if (log_fd_ >= 0) return true;
  long fd = open_in_folder();
  if (fd == -ENOENT) {
    make_folders(data_fd_, path_, false);
    fd = open_in_folder();
  }
  if (fd < 0) *log_errno_ = static_cast<std::int32_t>(-fd);
  log_fd_ = static_cast<int>(fd);
  return fd >= 0;
}

void OutputPump::flush() {
  iovec* piece = pieces_;
  std::size_t left = piece_count_;
  lines_ = piece_count_ = 0;
  long done = 0;
  while (left != 0 && *log_errno_ == 0 && open_log()) {
    long written = raw(SYS_writev, log_fd_, piece, left);
    if (written < 0) {
      *log_errno_ = static_cast<std::int32_t>(-written);
      // No line is left half written.
      const long end = raw(SYS_lseek, log_fd_, 0, SEEK_END);
      if (end >= done) raw(SYS_ftruncate, log_fd_, end - done);
      return;
    }
    done += written;
    for (; left != 0 && static_cast<std::size_t>(written) >= piece->iov_len; ++piece, --left) written -= piece->iov_len;
    if (left != 0) {
      piece->iov_base = static_cast<char*>(piece->iov_base) + written;
      piece->iov_len -= static_cast<std::size_t>(written);
    }
  }
}

}  // namespace tiphys::node
