// SPDX-License-Identifier: GPL-2.0-or-later
// All that `check --data` does.
#include <system_error>

#include "qcow2/check/checker.h"
#include "tests/support/memory_file.h"

using namespace e2qcow;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    qcow2::check(MemoryFile({bytes.begin(), bytes.end()}), {.data = true});
  } catch (const std::system_error&) {  // refused, with a reason
  }
  return 0;
}
