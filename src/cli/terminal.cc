#include "cli/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace tiphys::cli {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

bool dumb_terminal() {
  const char* term = std::getenv("TERM");
  return !term || !*term || std::string_view(term) == "dumb";
}

int output_error = 0;  ///< errno of the first write to standard output that failed

/// 0, or errno.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      // Another program that shares the terminal has made it non-blocking.
      pollfd entry{fd, POLLOUT, 0};
      ::poll(&entry, 1, -1);
      continue;
    }
    if (count < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace

bool can_redraw() {
  return ::isatty(STDOUT_FILENO) && !dumb_terminal();
}

TerminalSize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
  return {size.ws_row, size.ws_col};
}

Style choose_style(bool no_color, bool no_utf8) {
  return {.color = !no_color && !is_set("NO_COLOR") && can_redraw(), .utf8 = !no_utf8};
}

void hold_standard_streams() {
  // Opened for reading: what is written to a stream that the caller has closed fails as it should.
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (fd >= 0) ::close(fd);
}

void print(std::string_view text) {
  if (output_error == 0) output_error = write_all(STDOUT_FILENO, text);
}
void print_error(std::string_view text) {
  write_all(STDERR_FILENO, text);
}

Status output_status() {
  if (output_error == 0 || output_error == EPIPE) return {};
  const std::string reason = std::generic_category().message(output_error);
  return fail(Code::kUnavailable, "standard output could not be written: " + reason);
}

}  // namespace tiphys::cli
