// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/cluster_use.h"

namespace e2qcow::qcow2 {

std::string_view name_of(ClusterUse use) {
  switch (use) {
    case ClusterUse::none:
      return "free space";
    case ClusterUse::header:
      return "header";
    case ClusterUse::l1_table:
      return "L1 table";
    case ClusterUse::l2_table:
      return "L2 table";
    case ClusterUse::refcount_table:
      return "refcount table";
    case ClusterUse::refcount_block:
      return "refcount block";
    case ClusterUse::snapshot_table:
      return "snapshot table";
    case ClusterUse::bitmap_directory:
      return "bitmap directory";
    case ClusterUse::bitmap_table:
      return "bitmap table";
    case ClusterUse::bitmap_data:
      return "bitmap data";
    case ClusterUse::data:
      return "data";
  }
  return "";
}

}  // namespace e2qcow::qcow2
