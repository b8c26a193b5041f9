// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <span>
#include <vector>

#include "e2image_compat/e2image_layout.h"
#include "qcow2/write/table_writer.h"

namespace e2qcow::compat {

// Writes an image to the byte as e2image does: version 2, uncompressed, placed by E2imagePlacer. The header
// goes last.
class Qcow2Sink : public ImageSink {
 public:
  // The plan must have room for the refcount blocks. `file` must outlive the sink; on a device a valid header
  // there is destroyed first.
  Qcow2Sink(File& file, const E2imageLayout& plan, qcow2::TableWriter::Background background);

  std::uint64_t granularity() const override { return plan_.geometry.cluster_size(); }
  void pack(Batch& batch) const override;
  void append(const Batch& batch) override;
  void finish() override;

 private:
  // Parts that are adjacent in the file.
  struct Run {
    std::uint64_t host_offset = 0;
    std::uint64_t end = 0;
    std::vector<std::span<const std::byte>> parts;
  };
  void append_cluster(Run& run, std::uint64_t host_offset, std::span<const std::byte> data);
  std::uint64_t place(std::uint64_t guest_offset);
  void write_run(Run& run);
  void write_l2_table();
  void write_refcounts();

  File& file_;
  const E2imageLayout plan_;
  E2imagePlacer placement_;
  qcow2::TableWriter l1_;
  std::uint64_t l2_offset_ = 0;    // host, of the table that is being filled; 0: none yet
  std::vector<std::uint64_t> l2_;  // as stored on disk
};

}  // namespace e2qcow::compat
