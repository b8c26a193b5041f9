// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "work/anonymize.h"
#include "work/report.h"

namespace e2qcow::cli {

// The words of the command that prints a report.
struct ReportWords {
  const char* fate = "";  // of what could not be read: "; it is ..."
  const char* more = "";  // where the rest of a list is: "; ..."
};

// Prints it on standard error, in about 20 lines at most.
void print_report(const work::Report& report, const std::string& device, const ReportWords& words);

// The whole report as JSON. Of an anonymised dump it names neither files nor the device.
std::string report_text(const work::Report& report, CaptureState capture, const work::Device& device,
                        const work::AnonymizedDump* anonymized);

}  // namespace e2qcow::cli
