// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/survey.h"

namespace e2qcow::work {
namespace {

ext2::SelectedExtents select_recognised(const Device& device) {
  ext2::SelectedExtents selected;
  selected.extents = selected.looked_at = device.recognised_areas();
  for (const Extent& extent : selected.extents)
    selected.class_bytes[static_cast<std::size_t>(BlockClass::signatures)] += extent.length;
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
  if (device.filesystem() == nullptr) {
    survey.findings->add(Finding::no_superblock, 0, 0);
    survey.selected = select_recognised(device);
    return survey;
  }
  const ext2::SelectOptions select_options{.kind = options.kind,
                                           .threads = options.transfer.threads,
                                           .progress = options.transfer.progress,
                                           .most_important_first = options.most_important_first,
                                           .superblock_is_chosen = device.superblock_is_chosen(),
                                           .remember = options.remember};
  survey.selected = ext2::select_blocks(*device.filesystem(), select_options, *survey.findings);
  return survey;
}

}  // namespace e2qcow::work
