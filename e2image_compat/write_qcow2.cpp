// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/write_qcow2.h"

#include <e2qcow/error.h>

#include <algorithm>

#include "base/extents.h"
#include "base/file/null_file.h"
#include "base/file/output_file.h"
#include "e2image_compat/block_sink.h"
#include "e2image_compat/copy_job.h"
#include "e2image_compat/e2image_layout.h"
#include "e2image_compat/qcow2_sink.h"
#include "e2image_compat/target.h"
#include "qcow2/write/writer.h"
#include "work/plan.h"
#include "work/refusals.h"

namespace e2qcow::compat {
namespace {

using qcow2::TableWriter;

// Counts the refcount blocks that an image takes.
class TrialSink : public ListSink {
 public:
  explicit TrialSink(const E2imageLayout& plan)
      : ListSink(static_cast<std::uint32_t>(plan.geometry.cluster_size()), true), placement_(plan) {}
  void finish() override { placement_.finish(); }
  std::uint64_t refcount_blocks() const { return placement_.refcount_blocks().size(); }

 private:
  void list(std::uint64_t block) override { placement_.place(block); }

  E2imagePlacer placement_;
};

// e2image's own layout, if the result is valid. A refcount table that could be too small is tried without
// writing, and enlarged if it is.
E2imageLayout plan_for(CopyJob& job, const std::vector<Extent>& extents) {
  const Source& source = job.source();
  const E2imageLayout plan = plan_placement(source.block_size(), source.blocks(), job.chosen().marks);
  const qcow2::ClusterCount count = qcow2::count_clusters(extents, plan.geometry);
  if (!plan.is_valid() || plan.is_large_enough_for(count.data, count.l2_tables)) return plan;
  TrialSink trial(plan);
  ExtentSource disk(source.file(), extents);
  transfer(disk, trial, {});
  if (trial.refcount_blocks() <= plan.refcount_blocks()) return plan;
  return with_refcount_table(plan, plan.refcount_table_clusters + 1);
}

// If clusters as large as blocks make tables that QEMU does not open: our own layout, with the cluster size
// that makes the smallest image.
void write_larger_clusters(CopyJob& job, File& file, TableWriter::Background background,
                           const std::vector<Extent>& extents) {
  const std::uint64_t disk_size = job.source().size();
  const qcow2::Layout layout = work::plan_image({.version = 2}, disk_size, extents, file.name(), nullptr);
  qcow2::Writer writer(file, layout, {.version = 2, .background = background});
  job.run(extents, [&](const ImageSource& disk, const TransferOptions& how) { transfer(disk, writer, how); });
}

void write_to(CopyJob& job, File& file, TableWriter::Background background) {
  const std::vector<Extent> extents = job.extents(Zeros::dropped);
  const E2imageLayout plan = plan_for(job, extents);
  if (!plan.is_valid()) return write_larger_clusters(job, file, background, extents);
  file.expect_writes(total_length(extents));
  Qcow2Sink sink(file, plan, background);
  job.run(extents, [&](const ImageSource& disk, const TransferOptions& how) { transfer(disk, sink, how); });
}

void write_file(const Options& options, CopyJob& job, TargetKind kind) {
  if (kind == TargetKind::null_device) {
    NullFile nowhere;
    return write_to(job, nowhere, TableWriter::Background::zeros);
  }
  work::refuse_overwriting({options.target, stored_ranges(options.target)}, job.source().stored());
  if (kind == TargetKind::block_device) work::refuse_mounted_target(options.target);
  const auto output = open_output(options.target);
  write_to(job, output->file(),
           output->is_block_device() ? TableWriter::Background::old_data : TableWriter::Background::zeros);
  output->commit(Durability::if_it_replaces);
}

// Lists the writes in the order in which e2image makes them. e2image keeps this many L2 tables in memory.
class ListQcow2Sink : public ListSink {
 public:
  explicit ListQcow2Sink(const E2imageLayout& plan)
      : ListSink(static_cast<std::uint32_t>(plan.geometry.cluster_size()), true),
        placement_(plan),
        kept_tables_(std::min<std::uint64_t>(plan.l1_entries, kMaxKeptTables)),
        listed_refcount_blocks_(placement_.refcount_blocks().size()) {
    constexpr std::uint64_t kHeader = 1;
    list_other_writes(kHeader + listed_refcount_blocks_ - 1);  // of refcount blocks those that are full
  }
  void finish() override {
    constexpr std::uint64_t kRefcountTableAndBlockAndL1 = 3;
    placement_.finish();
    list_refcount_blocks();
    list_other_writes(tables_ + kRefcountTableAndBlockAndL1);
  }

 private:
  static constexpr std::uint64_t kMaxKeptTables = 512;

  void list(std::uint64_t block) override {
    const E2imagePlacer::Placed placed = placement_.place(block);
    if (placed.new_refcount_block) {
      list_other_writes(1);
      ++listed_refcount_blocks_;
    }
    ListSink::list(block);
    list_refcount_blocks();
    if (!placed.new_l2_table) return;
    if (tables_ == kept_tables_) {
      list_other_writes(tables_);
      tables_ = 0;
    }
    ++tables_;
  }
  void list_refcount_blocks() {
    const std::uint64_t begun = placement_.refcount_blocks().size();
    list_other_writes(begun - listed_refcount_blocks_);
    listed_refcount_blocks_ = begun;
  }

  E2imagePlacer placement_;
  std::uint64_t kept_tables_;
  std::uint64_t tables_ = 0;
  std::uint64_t listed_refcount_blocks_;
};

void list(CopyJob& job) {
  const std::vector<Extent> extents = job.extents(Zeros::dropped);
  ListQcow2Sink sink(plan_for(job, extents));
  job.run(extents, [&](const ImageSource& disk, const TransferOptions& how) { transfer(disk, sink, how); });
}

}  // namespace

int write_qcow2(const Options& options) {
  const TargetKind kind = target_kind(options.target);
  CopyJob job(options, kind == TargetKind::block_device);
  if (options.list_only)
    list(job);
  else
    write_file(options, job, kind);
  return job.report();
}

}  // namespace e2qcow::compat
