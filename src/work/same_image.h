// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "image/dump_record.h"

namespace e2qcow::work {

// The size of the image at `path` if it is whole and holds what a new dump would: every byte of its disk is
// that of the file within the extents and zero elsewhere, and its record is the one that `record` returns
// once all of the file was read. Nothing that can change without the disk (a time, a counter) is asked, nor
// believed. Absent if it is not, or if there is no such image.
std::optional<std::uint64_t> size_if_same(const std::string& path, const ReadableFile& file,
                                          const std::vector<Extent>& extents, std::uint64_t disk_size,
                                          const std::function<DumpRecord()>& record,
                                          const TransferOptions& options);

}  // namespace e2qcow::work
