#include "store/wal_vfs.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace tiphys::store {
namespace {

// SQLite's own VFS writes less than 128 KiB at once, and fails when it is asked for exactly that.
constexpr std::size_t kMostHeldBytes = 100 * 1024;
/// What an empty log begins with.
constexpr char kNoHeader[32] = {};

/// Memory comes from SQLite, which wants to know of its lack by a result.
struct Held {
  char* bytes = nullptr;
  std::size_t size = 0;
  std::size_t room = 0;
  sqlite3_int64 offset = 0;
};

/// SQLite allocates it, with room behind it for the file of the VFS beneath.
struct WalFile {
  sqlite3_file base;
  Held held;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

WalFile& wal(sqlite3_file* file) {
  return *reinterpret_cast<WalFile*>(file);
}

int flush(WalFile& file) {
  Held& held = file.held;
  if (held.size == 0) return SQLITE_OK;
  const int size = static_cast<int>(held.size);
  held.size = 0;
  return file.real()->pMethods->xWrite(file.real(), held.bytes, size, held.offset);
}

bool grow(Held& held, std::size_t size) {
  if (size <= held.room) return true;
  const std::size_t room = std::max<std::size_t>(2 * held.room, std::max<std::size_t>(size, 64 * 1024));
  void* bytes = sqlite3_realloc64(held.bytes, room);
  if (!bytes) return false;
  held.bytes = static_cast<char*>(bytes);
  held.room = room;
  return true;
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  WalFile& self = wal(file);
  Held& held = self.held;
  const auto added = static_cast<std::size_t>(size);
  const bool follows = held.size != 0 && offset == held.offset + static_cast<sqlite3_int64>(held.size);
  if (!follows || held.size + added > kMostHeldBytes) {
    if (const int result = flush(self); result != SQLITE_OK) return result;
    held.offset = offset;
  }
  if (!grow(held, held.size + added)) return SQLITE_IOERR_NOMEM;
  std::memcpy(held.bytes + held.size, bytes, added);
  held.size += added;
  return SQLITE_OK;
}

int close(sqlite3_file* file) {
  WalFile& self = wal(file);
  const int flushed = flush(self);
  sqlite3_free(self.held.bytes);
  const int closed = self.real()->pMethods->xClose(self.real());
  return flushed != SQLITE_OK ? flushed : closed;
}

/// An emptied log keeps its size: overwriting takes half the time of appending, which has to write the size as well. A
/// log without a header is an empty one.
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  WalFile& self = wal(file);
  sqlite3_int64 present = 0;
  if (const int result = flush(self); result != SQLITE_OK) return result;
  sqlite3_file* real = self.real();
  if (const int result = real->pMethods->xFileSize(real, &present); result != SQLITE_OK) return result;
  if (size != 0 || present <= static_cast<sqlite3_int64>(sizeof kNoHeader)) {
    return real->pMethods->xTruncate(real, size);
  }
  return real->pMethods->xWrite(real, kNoHeader, sizeof kNoHeader, 0);
}

/// Any other method of the file beneath, which then has all that was written.
template <auto method, typename... Arguments>
int after_flush(sqlite3_file* file, Arguments... arguments) {
  WalFile& self = wal(file);
  if (const int result = flush(self); result != SQLITE_OK) return result;
  return (self.real()->pMethods->*method)(self.real(), arguments...);
}

template <auto method, typename... Arguments>
int pass(sqlite3_file* file, Arguments... arguments) {
  sqlite3_file* real = wal(file).real();
  return (real->pMethods->*method)(real, arguments...);
}

using Methods = sqlite3_io_methods;

// Version 1: what came later is for the database itself.
constexpr Methods kMethods = {
    .iVersion = 1,
    .xClose = close,
    .xRead = after_flush<&Methods::xRead>,
    .xWrite = write,
    .xTruncate = truncate,
    .xSync = after_flush<&Methods::xSync>,
    .xFileSize = after_flush<&Methods::xFileSize>,
    .xLock = pass<&Methods::xLock>,
    .xUnlock = pass<&Methods::xUnlock>,
    .xCheckReservedLock = pass<&Methods::xCheckReservedLock>,
    .xFileControl = after_flush<&Methods::xFileControl>,
    .xSectorSize = pass<&Methods::xSectorSize>,
    .xDeviceCharacteristics = pass<&Methods::xDeviceCharacteristics>,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

/// SQLite syncs a log that it may have made together with its folder, which takes as long as a commit. Before it
/// appends to a new log it has synced the header so: what holds more than that needs it no more.
bool is_in_its_folder(const char* log) {
  struct stat status;
  return ::stat(log, &status) == 0 && status.st_size > static_cast<off_t>(sizeof kNoHeader);
}

int open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  auto* beneath = static_cast<sqlite3_vfs*>(vfs->pAppData);
  if ((flags & SQLITE_OPEN_WAL) == 0) return beneath->xOpen(beneath, name, file, flags, out_flags);
  auto* self = new (file) WalFile{};
  if (is_in_its_folder(name)) flags &= ~SQLITE_OPEN_CREATE;
  const int result = beneath->xOpen(beneath, name, self->real(), flags, out_flags);
  // With methods SQLite calls xClose even after a failure.
  if (self->real()->pMethods) self->base.pMethods = &kMethods;
  return result;
}

}  // namespace

const char* wal_vfs() {
  static const char* const kName = [] {
    // Nobody asks how much memory it has; counting takes a lock at each allocation.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_vfs* beneath = sqlite3_vfs_find(nullptr);
    static sqlite3_vfs vfs = *beneath;
    vfs.szOsFile = beneath->szOsFile + static_cast<int>(sizeof(WalFile));
    vfs.pNext = nullptr;
    vfs.zName = "tiphys";
    vfs.pAppData = beneath;
    vfs.xOpen = open;
    sqlite3_vfs_register(&vfs, 0);
    return vfs.zName;
  }();
  return kName;
}

}  // namespace tiphys::store
