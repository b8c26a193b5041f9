// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string_view>

#include "image/dump_record.h"

namespace e2qcow::cli {

// For programs: append, never change.
constexpr std::string_view capture_name(CaptureState state) {
  switch (state) {
    case CaptureState::at_rest:
      return "at-rest";
    case CaptureState::frozen:
      return "frozen";
    case CaptureState::snapshot:
      return "snapshot";
    case CaptureState::power_failure:
      return "power-failure";
    case CaptureState::unchanged:
      return "unchanged";
    case CaptureState::changed:
      return "changed";
    case CaptureState::thawed_early:
      return "thawed-early";
  }
  return "unknown";
}

constexpr std::string_view capture_text(CaptureState state) {
  switch (state) {
    case CaptureState::at_rest:
      return "while it was not mounted read-write";
    case CaptureState::frozen:
      return "while it was mounted and frozen";
    case CaptureState::snapshot:
      return "from a snapshot";
    case CaptureState::power_failure:
      return "while it was mounted, as a power failure would have left it";
    case CaptureState::unchanged:
      return "while it was mounted; it was read twice with the same result";
    case CaptureState::changed:
      return "while it was mounted; it changed meanwhile";
    case CaptureState::thawed_early:
      return "while it was frozen, but not to the end; it may have changed meanwhile";
  }
  return "in a way that this version does not know";
}

}  // namespace e2qcow::cli
