// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/survey.h"

#include "base/extents.h"

namespace e2qcow::work {
namespace {

// If everything is wanted, everything: nobody knows what is free.
ext2::SelectedExtents select_without_filesystem(const Device& device, DumpKind kind) {
  const bool all = kind == DumpKind::all;
  ext2::SelectedExtents selected;
  selected.extents = all ? std::vector{Extent{0, device.part().length}} : device.recognised_areas();
  selected.looked_at = selected.extents;
  selected.class_bytes[static_cast<std::size_t>(all ? BlockClass::data : BlockClass::signatures)] =
      total_length(selected.extents);
  return selected;
}

}  // namespace

std::vector<DumpRecord::ClassBytes> Survey::classes() const {
  std::vector<DumpRecord::ClassBytes> classes;
  for (std::size_t i = 0; i < selected.class_bytes.size(); ++i)
    if (selected.class_bytes[i] != 0)
      classes.push_back({static_cast<std::uint8_t>(i), selected.class_bytes[i]});
  return classes;
}

Survey survey(const Device& device, const SurveyOptions& options) {
  Survey survey;
  if (device.is_in_use()) survey.findings->add(Finding::mounted, 0, 0);
  if (device.filesystem() == nullptr) {
    survey.findings->add(Finding::no_superblock, 0, 0);
    survey.selected = select_without_filesystem(device, options.kind);
    return survey;
  }
  const ext2::SelectOptions select_options{.kind = options.kind,
                                           .threads = options.transfer.threads,
                                           .progress = options.transfer.progress,
                                           .most_important_first = options.most_important_first,
                                           .superblock_is_chosen = device.superblock_is_chosen(),
                                           .remember = options.remember,
                                           .find_roles = options.find_roles};
  survey.selected = ext2::select_blocks(*device.filesystem(), select_options, *survey.findings);
  return survey;
}

}  // namespace e2qcow::work
