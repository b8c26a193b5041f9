// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/restore_target.h"

#include "nbd/nbd_name.h"
#include "nbd/open_nbd.h"

namespace e2qcow::work {

RestoreTarget::RestoreTarget(const std::string& name, const nbd::Options& remote) {
  if (nbd::is_nbd_name(name))
    remote_ = nbd::open_nbd(name, nbd::Access::write, remote);
  else
    local_.emplace(name);
}

std::vector<std::string> RestoreTarget::naming_directories() const {
  if (is_in_place()) return {};
  return {local_->directory()};
}

void RestoreTarget::commit() {
  if (remote_)
    remote_->sync();
  else
    local_->commit(Durability::synced);
}

}  // namespace e2qcow::work
