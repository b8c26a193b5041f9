// SPDX-License-Identifier: GPL-2.0-or-later
#include <e2qcow/error.h>
#include <ext2fs/ext2fs.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "base/printable.h"
#include "base/process/standard_descriptors.h"
#include "base/process/stop_signals.h"
#include "e2image_compat/classic.h"
#include "e2image_compat/complaint.h"
#include "e2image_compat/move.h"
#include "e2image_compat/options.h"
#include "e2image_compat/restore.h"
#include "e2image_compat/shown_disk.h"
#include "e2image_compat/source.h"
#include "e2image_compat/write_qcow2.h"
#include "e2image_compat/write_raw.h"
#include "work/image.h"

extern "C" {
#include <et/com_err.h>
}

namespace {

using e2qcow::compat::ImageType;
using e2qcow::compat::Options;

constexpr int kDone = 0;
constexpr int kFailed = 1;

// The version is that of the library, which comes with e2image.
void print_version() {
  const char* version = nullptr;
  const char* date = nullptr;
  ::ext2fs_get_library_version(&version, &date);
  std::fprintf(stderr, "e2image %s (%s)\n", version, date);
}

// e2image looks for a qcow2 image if it is to make a raw disk.
bool is_restore(const Options& options) {
  if (options.type != ImageType::raw || options.move || options.source_offset != 0) return false;
  return e2qcow::work::is_image(options.source) && !e2qcow::compat::is_shown_as_disk(options);
}

int run(const Options& options) {
  e2qcow::compat::check_mounts(options);
  if (options.install) return e2qcow::compat::install_classic(options);
  if (is_restore(options)) return e2qcow::compat::restore(options);
  if (options.move) return e2qcow::compat::move_filesystem(options);
  switch (options.type) {
    case ImageType::raw:
      return e2qcow::compat::write_raw(options);
    case ImageType::qcow2:
      return e2qcow::compat::write_qcow2(options);
    default:
      return e2qcow::compat::write_classic(options);
  }
}

void print_error(const std::string& program, const std::exception& error) {
  ::com_err(program.c_str(), 0, "%s", e2qcow::printable(error.what()).c_str());
}

void print_error(const std::string& program, const std::system_error& error) {
  const bool is_for_others = error.code() == e2qcow::Errc::missing_backing;
  ::com_err(program.c_str(), 0, "%s%s", e2qcow::printable(error.what()).c_str(),
            is_for_others ? "; e2qcow restore takes one" : "");
}

int run_and_report(const std::string& program, int argc, char** argv) {
  try {
    return run(e2qcow::compat::parse_options(argc, argv));
  } catch (const e2qcow::compat::UsageError&) {
    std::fputs(e2qcow::compat::usage(program).c_str(), stderr);
  } catch (const e2qcow::compat::Complaint& complaint) {
    complaint.print(program);
  } catch (const std::system_error& error) {
    if (error.code() == e2qcow::Errc::interrupted) e2qcow::end_by_stop_signal();
    print_error(program, error);
  } catch (const std::exception& error) {
    print_error(program, error);
  }
  return kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  e2qcow::open_standard_descriptors();
  e2qcow::stop_on_signals();
  std::signal(SIGXFSZ, SIG_IGN);  // a write past the limit fails with EFBIG, with our message
  ::add_error_table(&et_ext2_error_table);
  print_version();
  const std::string program = argc > 0 ? argv[0] : "e2image";
  const int status = run_and_report(program, argc, argv);
  if (std::fflush(stdout) != 0) {
    std::perror(program.c_str());
    return kFailed;
  }
  return status == kDone ? kDone : kFailed;
}
