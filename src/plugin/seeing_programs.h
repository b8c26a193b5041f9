// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace e2qcow::plugin {

// Whether the program that a process runs sees the disks in images: it has loaded our library, and is linked
// with libext2fs dynamically. If it opens an image file itself, it does so on purpose, as e2image for its
// output.
bool sees_disks(int process);

}  // namespace e2qcow::plugin
