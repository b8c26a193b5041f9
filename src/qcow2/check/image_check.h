// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>
#include <e2qcow/file.h>

#include <cstdint>
#include <vector>

#include "qcow2/check/check_report.h"
#include "qcow2/check/cluster_usage.h"
#include "qcow2/format/entry_rules.h"
#include "qcow2/format/format.h"
#include "qcow2/format/table_walk.h"

namespace e2qcow::qcow2 {

// An image while it is checked: its header, whose tables are not checked yet, the use of its clusters, the
// problems found so far.
class ImageCheck : public TableVisitor {
 public:
  // Throws what decode_header_without_tables() throws. `image_file` must outlive the check.
  ImageCheck(const ReadableFile& image_file, const ReadableFile* data_file);

  // Counts a reference to a table. If it is not aligned, not inside the file or overlaps something else, that
  // is reported and the result is false. So each cluster is read once, and the work follows the size of the
  // file, whatever the tables say.
  bool add_table(ClusterUse use, Extent host, const Origin& origin) override;
  void add_fault(const Origin& origin, const Fault& fault) override { report.corruption(origin, fault); }

  // Counts `count` references to each cluster that has a part of `host`, which begins inside the file and
  // ends in its last cluster at the latest. If it overlaps a table, that is reported instead.
  void add_data(Extent host, std::uint64_t count, const Origin& origin);

  const ReadableFile& file;
  const std::uint64_t file_size;
  const Header header;
  const ExtensionList extension_list;
  const Geometry geometry;
  const ImageLimits limits;
  const ImageLimits data_limits;      // of data, which may be in another file
  const std::uint64_t file_clusters;  // the last may be cut off
  ClusterUsage clusters;
  CheckReport report;
};

}  // namespace e2qcow::qcow2
