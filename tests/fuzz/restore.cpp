// SPDX-License-Identifier: GPL-2.0-or-later
// All that `restore` does, to a target that forgets.
#include <system_error>

#include "base/file/null_file.h"
#include "image/raw_sink.h"
#include "qcow2/format/record_extension.h"
#include "qcow2/format/snapshots.h"
#include "qcow2/read/chain.h"
#include "qcow2/read/digest_state.h"
#include "tests/support/memory_file.h"

using namespace e2qcow;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const MemoryFile file({bytes.begin(), bytes.end()});
    qcow2::Reader reader(file);
    qcow2::read_snapshots(file, reader.header(), [](std::uint32_t, const qcow2::Fault&) {});
    reader.record();
    if (reader.check_tables(64).data_bytes() > 64 << 20) return 0;  // allowed, but slow
    qcow2::check_contents(reader);
    qcow2::Chain chain({&reader}, nullptr);
    NullFile target;
    RawSink sink(target, {.size = chain.size()});
    transfer(chain, sink, {});
  } catch (const std::system_error&) {  // refused, with a reason
  }
  return 0;
}
