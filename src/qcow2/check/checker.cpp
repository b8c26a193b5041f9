// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/checker.h"

#include "base/bytes.h"
#include "qcow2/check/data_check.h"
#include "qcow2/check/image_check.h"
#include "qcow2/check/mapping_check.h"
#include "qcow2/check/refcount_check.h"

namespace e2qcow::qcow2 {
namespace {

void check_header(ImageCheck& image) {
  const Origin origin{"header"};
  if ((image.header.incompatible_features & kDirty) != 0)
    image.report.corruption(origin, "the image is marked as dirty: its refcounts may be out of date");
  if ((image.header.incompatible_features & kCorrupt) != 0)
    image.report.corruption(origin, "the image is marked as corrupt");
  image.add_table(ClusterUse::header, {0, 1}, origin);
  image.report.result().total_clusters = divide_up(image.header.size, image.geometry.cluster_size());
  if (!image.extension_list.fault.empty()) image.report.corruption(origin, "{}", image.extension_list.fault);
}

// False if there are any: then what the table counts or refers to is not known, and the rest would be
// reported only because of that.
bool report_impossible_tables(ImageCheck& image) {
  const auto faults = faults_of_tables(image.header, image.file_size);
  for (const TableFault& fault : faults) image.report.corruption({"header"}, "{}", fault.text);
  return faults.empty();
}

}  // namespace

// The first user owns a cluster. Data comes last, so that data on a table is reported, not the table.
CheckResult check(const ReadableFile& file, const CheckOptions& options) {
  ImageCheck image(file, options.data_file);
  RefcountCheck refcounts(image);
  MappingCheck mappings(image);
  check_header(image);
  if (!report_impossible_tables(image)) return image.report.result();
  refcounts.add_tables();
  mappings.add_l1_table({image.header.l1_table_offset, image.header.l1_size, 0});
  walk_snapshots(file, image.header, image, [&](const L1Table& table) { mappings.add_l1_table(table); });
  walk_bitmaps(file, image.header, image.extension_list.extensions, image);
  mappings.add_l2_tables();
  refcounts.compare();
  if (options.data && !image.header.has_data_file()) check_data(image, options.threads);
  return image.report.result();
}

}  // namespace e2qcow::qcow2
