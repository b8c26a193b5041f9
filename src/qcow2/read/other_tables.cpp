// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/other_tables.h"

#include <e2qcow/error.h>

#include "qcow2/format/table_walk.h"

namespace e2qcow::qcow2 {
namespace {

// Keeps the first fault that it is told of.
class FirstFault : public TableVisitor {
 public:
  explicit FirstFault(const ImageLimits& limits) : limits_(limits) {}

  bool add_table(ClusterUse use, Extent host, const Origin& origin) override {
    if (host.empty()) return true;
    const auto fault = fault_of_table(use, host, limits_);
    if (fault) add_fault(origin, *fault);
    return !fault;
  }
  void add_fault(const Origin& origin, const Fault& fault) override {
    if (text_.empty() && fault.kind != Fault::Kind::harmless) text_ = text_of(origin) + ": " + fault.text();
  }
  const std::string& text() const { return text_; }

 private:
  const ImageLimits limits_;
  std::string text_;
};

bool is_of_the_image(const std::error_code& code) {
  return code == Errc::corrupt || code == Errc::truncated;
}

}  // namespace

std::string fault_of_other_tables(const ReadableFile& file, const Header& header,
                                  const std::vector<Extension>& extensions) {
  try {
    check_other_tables(header, file.size(), file.name());
    FirstFault visitor({header.geometry(), header.version, file.size()});
    const auto walk_table = [&](const L1Table& table) {
      walk_l1(file, table, visitor, [&](L1Entry entry, const Origin& origin) {
        visitor.add_table(ClusterUse::l2_table, {entry.host_offset(), header.geometry().cluster_size()},
                          origin);
      });
    };
    walk_refcounts(file, header, visitor, [](std::uint64_t, std::uint64_t) {});
    walk_snapshots(file, header, visitor, walk_table);
    walk_bitmaps(file, header, extensions, visitor);
    return visitor.text();
  } catch (const std::system_error& error) {
    if (!is_of_the_image(error.code())) throw;
    const std::string text = error.what();
    const std::string prefix = file.name() + ": ";
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
  }
}

}  // namespace e2qcow::qcow2
