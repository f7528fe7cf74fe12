// How SQLite's files are opened: as it does by itself, but what it appends to the write-ahead log goes to the kernel at
// once. It writes each page with two calls, and a transaction is a dozen of pages.
#pragma once

namespace tiphys::store {

/// The name for sqlite3_open_v2. What is appended is held back until a sync, a read, or a write elsewhere; a commit
/// syncs the log before anybody may read it (synchronous = FULL), so a failed write fails the commit.
const char* wal_vfs();

}  // namespace tiphys::store
