// SPDX-License-Identifier: GPL-2.0-or-later
// The record of a dump.
#include <system_error>

#include "qcow2/format/record_extension.h"

using namespace e2qcow;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const qcow2::Extension extension{qcow2::kDumpRecord, {bytes.begin(), bytes.end()}};
    const auto record = qcow2::decode_record(std::span(&extension, 1));
    if (record) qcow2::encode_record(*record);
  } catch (const std::system_error&) {  // refused, with a reason
  }
  return 0;
}
