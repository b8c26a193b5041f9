/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef E2QCOW_IO_MANAGER_H
#define E2QCOW_IO_MANAGER_H

/*
 * An io_manager that lets libext2fs work on the disk in a qcow2 image. For C99 and C++ programs that have the
 * headers of libext2fs; compile and link with `pkg-config --cflags --libs e2qcow`.
 *
 *   ext2fs_open2("fs.qcow2", NULL, 0, 0, 0, e2qcow_io_manager, &fs)
 *
 * The image is never written to. If it is opened for writing, changes go to an overlay, or to an unnamed
 * temporary file that disappears when the program ends. An image that is opened several times is one disk.
 * The option "offset" is that of unix_io_manager.
 */

#include <ext2fs/ext2fs.h>

#ifdef __cplusplus
extern "C" {
#endif

extern io_manager e2qcow_io_manager;

/*
 * Settings for images that are opened after the call. They hold for the whole process and are not
 * thread-safe. The defaults are those of a call with NULL or 0. Functions that return a code return 0 or
 * ENOMEM.
 */

/*
 * The overlay for changes: a qcow2 image created on top of the opened one, or continued if it exists. An
 * existing overlay is also applied when the image is opened read-only. NULL: an unnamed temporary file.
 */
errcode_t e2qcow_set_overlay(const char* path);

/*
 * Adds a backing file, as FILE, FILE:raw or FILE:qcow2: first the image's own, then that file's, and so on.
 * Names stored in images are never opened. NULL: none.
 */
errcode_t e2qcow_add_backing(const char* file);

/* Memory for decompressed data, in bytes for each image. 0: 64 MiB. */
void e2qcow_set_cache_size(unsigned long long bytes);

/*
 * The message of the last call that failed in this thread: object, operation and offset. Empty if none has
 * failed. Valid until the next call that fails in this thread.
 */
const char* e2qcow_last_message(void);

#ifdef __cplusplus
}
#endif

#endif
