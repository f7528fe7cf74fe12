// Memory that was freed and that the allocator keeps for later.
#pragma once

namespace tiphys {

/// From now on pieces of a megabyte or more, such as long answers, go back to the system as soon as they are freed. For
/// programs that stay; another's next large piece would cost less if it were kept.
void return_large_memory();

/// What is free now goes back. Takes a millisecond or few.
void return_free_memory();

}  // namespace tiphys
