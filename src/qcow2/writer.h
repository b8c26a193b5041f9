#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <functional>
#include <vector>

#include "qcow2/layout.h"
#include "qcow2/refcounts.h"

namespace e2qcow::qcow2 {

// Writes an image as its layout plans it: tables in front, data behind them in guest order, the header last,
// so that an interrupted dump is never taken for an image.
class Writer : public ImageSink {
 public:
  struct Options {
    std::uint32_t version = 3;
    // Asked for when the header is written, at the very end.
    std::function<std::vector<Extension>()> extensions = [] { return std::vector<Extension>(); };
  };

  // `file` must outlive the writer. On a device the layout must fit; a valid header there is destroyed first.
  Writer(File& file, const Layout& layout, Options options);

  std::uint64_t granularity() const override { return layout_.geometry.cluster_size(); }
  void pack(Batch& batch) const override;
  void append(const Batch& batch) override;
  void finish() override;

  // What the image takes, in bytes; final after finish().
  std::uint64_t image_size() const { return next_cluster_ * layout_.geometry.cluster_size(); }

 private:
  void append_clusters(const Batch::Piece& piece);
  void set_l2_entry(std::uint64_t guest_offset, L2Entry entry);
  void finish_l2_table();
  void write_l2_tables();
  void write_l1_table();
  void write_header();

  File& file_;
  const Layout layout_;
  Options options_;
  RefcountWriter refcounts_;
  std::uint64_t next_cluster_;         // host, in clusters: the first that nothing is in
  std::vector<std::uint64_t> l1_;      // as on disk
  std::vector<std::uint64_t> l2_;      // the tables that are not written yet, as on disk
  std::uint64_t l2_written_ = 0;       // tables
  std::uint64_t l2_index_ = kNoTable;  // which table of the disk the last in l2_ is
  static constexpr std::uint64_t kNoTable = ~0ULL;
};

}  // namespace e2qcow::qcow2
