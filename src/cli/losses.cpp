#include "cli/losses.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/say.h"
#include "cli/text.h"

namespace e2qcow::cli {
namespace {

constexpr std::size_t kMaxLines = 10;

}  // namespace

void print_losses(const SalvagingFile& file, const ext2::Findings& findings) {
  const std::string name = printable(file.name());
  const std::vector<Extent> losses = file.losses();
  for (std::size_t i = 0; i < std::min(losses.size(), kMaxLines); ++i)
    say("{}: {} bytes at {} could not be read; they are zeros in the image\n", name, losses[i].length,
        losses[i].offset);
  if (losses.size() > kMaxLines) say("{}: and {} more unreadable areas\n", name, losses.size() - kMaxLines);
  for (const auto& [finding, summary] : findings.summary()) {
    const auto& [count, first] = summary;
    const std::string inode = first.inode == 0 ? "" : fmt::format("inode {}, ", first.inode);
    const std::string more = count == 1 ? "" : fmt::format(" (and {} more)", count - 1);
    say("{}: {}: {}block {}{}\n", name, ext2::name_of(finding), inode, first.block, more);
  }
}

}  // namespace e2qcow::cli
