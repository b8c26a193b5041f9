/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef E2QCOW_IO_MANAGER_H
#define E2QCOW_IO_MANAGER_H

/*
 * For C programs: an io_manager with which libext2fs works on the disk in a qcow2 image.
 *
 *   ext2fs_open2("fs.qcow2", NULL, 0, 0, 0, e2qcow_io_manager, &fs)
 *
 * The image is never written to. Where it is opened for writing, the changes go to an overlay, or to an
 * unnamed temporary file that is gone at the end of the program. Images may be opened several times, and are
 * the same disk then. "offset" is the option that unix_io_manager has, too. Link with what pkg-config says
 * about e2qcow.
 */

#include <ext2fs/ext2fs.h>

#ifdef __cplusplus
extern "C" {
#endif

extern io_manager e2qcow_io_manager;

/*
 * Settings for the images that are opened from then on. Before the first call each is as after a call with
 * NULL or 0. They return 0 or ENOMEM.
 */

/*
 * Where the changes go: a new qcow2 image with the opened one as its backing file, or one that was made so,
 * which is continued. Once it is there, it is read, too, whoever opens the image. NULL: an unnamed temporary
 * file.
 */
errcode_t e2qcow_set_overlay(const char* path);

/*
 * The backing file of the images, FILE or FILE:raw or FILE:qcow2; in further calls, that one's, and so on.
 * Names in images open nothing. NULL: none.
 */
errcode_t e2qcow_add_backing(const char* file);

/* How much of decompressed data is kept for each image, in bytes. 0: 64 MiB. */
void e2qcow_set_cache_size(unsigned long long bytes);

/* What the last call that failed in this thread had to say: object, operation and place. Empty if none did.
 */
const char* e2qcow_last_message(void);

#ifdef __cplusplus
}
#endif

#endif
