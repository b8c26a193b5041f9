// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string_view>

namespace e2qcow::qcow2 {

// The use of a host cluster.
enum class ClusterUse : std::uint8_t {
  none,
  header,
  l1_table,
  l2_table,
  refcount_table,
  refcount_block,
  snapshot_table,
  bitmap_directory,
  bitmap_table,
  bitmap_data,
  data,
};

std::string_view name_of(ClusterUse use);

}  // namespace e2qcow::qcow2
