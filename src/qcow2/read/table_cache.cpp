// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/table_cache.h"

namespace e2qcow::qcow2 {

std::shared_ptr<const TableCache::Page> TableCache::page(std::uint64_t host_offset,
                                                         std::uint64_t bytes) const {
  Slot& slot = slots_[host_offset / bytes % slots_.size()];
  {
    const std::scoped_lock lock(mutex_);
    if (slot.page && slot.host_offset == host_offset) return slot.page;
  }
  auto page = std::make_shared<Page>(bytes / sizeof(std::uint64_t));
  file_.read(host_offset, std::as_writable_bytes(std::span(*page)));
  const std::scoped_lock lock(mutex_);
  slot = {host_offset, page};
  return page;
}

}  // namespace e2qcow::qcow2
