// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "work/audit/audit.h"

namespace e2qcow::cli {

// The files of an audit, by name. Without a device or a report: empty.
struct AuditNames {
  std::string image;
  std::string device;
  std::string report;
};

// The result for people, and for programs.
std::string audit_text(const work::AuditResult& result, const AuditNames& names);
std::string audit_json(const work::AuditResult& result, const AuditNames& names);

}  // namespace e2qcow::cli
