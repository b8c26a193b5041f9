// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdlib>

#include "ext2/selection/block_visitor.h"
#include "ext2/structures/geometry.h"

namespace e2qcow {

// What our own headers promise of any input. A broken promise is a find.
inline void require(bool promise_holds) {
  if (!promise_holds) std::abort();
}

namespace ext2 {

// A walk brings only runs that lie on the device.
class CheckingVisitor : public BlockVisitor {
 public:
  explicit CheckingVisitor(const Geometry& geometry) : geometry_(geometry) {}
  void visit(BlockClass, BlockRun run, std::uint64_t) override { require(geometry_.clip(run) == run); }

 private:
  const Geometry& geometry_;
};

}  // namespace ext2
}  // namespace e2qcow
