// SPDX-License-Identifier: GPL-2.0-or-later
// Header and extensions.
#include <system_error>

#include "qcow2/format/bitmaps.h"
#include "qcow2/format/format.h"

using namespace e2qcow;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const qcow2::Header header = qcow2::decode_header(bytes, size, "image");
    const auto extensions = qcow2::decode_extensions(header, bytes).extensions;
    qcow2::feature_name(extensions, 5);
    for (const auto& extension : extensions) qcow2::decode_bitmap_directory(extension.data);
  } catch (const std::system_error&) {  // refused, with a reason
  }
  return 0;
}
